resource "justiam_application" "payments" {
  name           = "Payments"
  slug           = "payments"
  description    = "Takes and pays out money."
  owner_group_id = justiam_group.payments_leads.id
}
