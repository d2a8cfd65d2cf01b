import {
  to = justiam_app_mapping.payments_operator
  id = "payments/operator"
}
