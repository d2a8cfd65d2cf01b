data "justiam_secret" "change_token" {
  name = justiam_secret.change_token.id
}
