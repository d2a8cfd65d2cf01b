resource "justiam_access_request_template" "operate_payments" {
  name        = "Operate payments"
  description = "Operator access for up to two hours."
  app_id      = justiam_application.payments.id

  mapping_ids        = [justiam_app_mapping.payments_operator.id]
  allowed_durations  = [30, 120]
  approver_group_ids = [justiam_group.payments_leads.id]

  notification_policy = "round_robin"
  notification_count  = 1

  custom_fields = jsonencode([
    { label = "Change ticket", type = "text", required = true, placeholder = "CHG-1234" },
    { label = "Region", type = "select", options = ["eu", "us"] },
  ])

  trigger_task_id           = justiam_scheduled_task.no_weekends.id
  trigger_task_failure_mode = "block"
}
