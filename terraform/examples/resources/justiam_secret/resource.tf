variable "change_token" {
  type      = string
  sensitive = true
  ephemeral = true
}

# The value is in no plan and no state. To rotate it, give another value and another version.
resource "justiam_secret" "change_token" {
  name             = "CHANGE_TOKEN"
  value_wo         = var.change_token
  value_wo_version = 1
  hosts            = ["changes.example.com"]
}
