data "justiam_identity" "ci_bot" {
  email = "ci-bot"
}
