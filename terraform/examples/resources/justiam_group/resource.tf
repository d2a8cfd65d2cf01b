resource "justiam_group" "payments_leads" {
  name        = "payments-leads"
  description = "Decide who may operate payments."
}
