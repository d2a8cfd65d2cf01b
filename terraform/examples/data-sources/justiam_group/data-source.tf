data "justiam_group" "dba_team" {
  name = "dba-team"
}
