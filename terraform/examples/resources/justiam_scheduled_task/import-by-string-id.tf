import {
  to = justiam_scheduled_task.no_weekends
  id = "No approvals at the weekend"
}
