# By name or id.
terraform import justiam_scheduled_task.no_weekends "No approvals at the weekend"
