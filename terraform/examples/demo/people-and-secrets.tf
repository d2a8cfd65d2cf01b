data "justiam_identity" "dana" {
  email = "dana@example.com"
}

resource "justiam_group_membership" "dana" {
  group_id    = justiam_group.dba_team.id
  identity_id = data.justiam_identity.dana.id
}

# TF_VAR_change_token: the value is in no plan and no state.
variable "change_token" {
  type      = string
  ephemeral = true
}

resource "justiam_secret" "change_token" {
  name             = "CHANGE_TOKEN"
  value_wo         = var.change_token
  value_wo_version = 1
  hosts            = ["changes.example.com"]
}
