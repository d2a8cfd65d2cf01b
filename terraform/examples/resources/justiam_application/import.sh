# By slug, name or id.
terraform import justiam_application.payments payments
