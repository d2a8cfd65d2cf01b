data "justiam_app_mapping" "db_admin" {
  app_id = data.justiam_application.internal_db.id
  name   = "db-admin"
}
