# By APPLICATION/NAME or id.
terraform import justiam_app_mapping.payments_operator payments/operator
