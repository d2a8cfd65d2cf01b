import {
  to = justiam_access_request_template.operate_payments
  id = "Operate payments"
}
