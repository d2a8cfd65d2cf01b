data "justiam_application" "internal_db" {
  slug = "internal-db"
}
