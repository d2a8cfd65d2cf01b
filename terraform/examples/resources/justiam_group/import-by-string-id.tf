import {
  to = justiam_group.payments_leads
  id = "payments-leads"
}
