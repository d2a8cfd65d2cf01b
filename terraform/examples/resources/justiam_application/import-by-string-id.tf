import {
  to = justiam_application.payments
  id = "payments"
}
