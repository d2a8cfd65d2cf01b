data "justiam_access_request_template" "read_database" {
  name = "Database read-only access"
}
