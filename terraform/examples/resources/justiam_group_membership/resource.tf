data "justiam_identity" "dana" {
  email = "dana@example.com"
}

resource "justiam_group_membership" "dana_leads_payments" {
  group_id    = justiam_group.payments_leads.id
  identity_id = data.justiam_identity.dana.id
  expires_at  = "2099-12-31T18:00:00Z"
}
