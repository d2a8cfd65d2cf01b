# By name or id.
terraform import justiam_group.payments_leads payments-leads
