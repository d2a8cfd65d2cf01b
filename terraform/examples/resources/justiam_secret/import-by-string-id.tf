import {
  to = justiam_secret.change_token
  id = "CHANGE_TOKEN/1"
}
