# By name or id.
terraform import justiam_access_request_template.operate_payments "Operate payments"
