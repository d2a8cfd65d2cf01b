# By GROUP/IDENTITY, each by name or id.
terraform import justiam_group_membership.dana_leads_payments payments-leads/dana@example.com
