data "justiam_scheduled_task" "event_logger" {
  name = "access_request_event_logger"
}
