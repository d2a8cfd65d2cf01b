import {
  to = justiam_group_membership.dana_leads_payments
  id = "payments-leads/dana@example.com"
}
