data "justiam_group_membership" "bob_in_dba_team" {
  group_id = data.justiam_group.dba_team.id
  email    = "bob@example.com"
}
