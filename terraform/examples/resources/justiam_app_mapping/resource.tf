resource "justiam_app_mapping" "payments_operator" {
  app_id          = justiam_application.payments.id
  name            = "operator"
  claim           = "roles"
  value           = "operator"
  privilege_level = "high"
}
