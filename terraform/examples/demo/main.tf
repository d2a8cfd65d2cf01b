terraform {
  required_providers {
    justiam = {
      source = "hallpass.internal/hallpass/justiam"
    }
  }
}

# HALLPASS_ENDPOINT and HALLPASS_TOKEN say where Hallpass is, and who calls.
provider "justiam" {}

resource "justiam_application" "internal_db" {
  name = "Internal DB"
  slug = "internal-db"
}

resource "justiam_app_mapping" "db_readonly_role" {
  app_id          = justiam_application.internal_db.id
  name            = "db-readonly"
  claim           = "roles"
  value           = "db-readonly"
  privilege_level = "medium"
}

resource "justiam_group" "dba_team" {
  name = "dba-team"
}

resource "justiam_group" "engineering_managers" {
  name = "engineering-managers"
}

resource "justiam_application" "postgres" {
  name = "PostgreSQL"
  slug = "postgresql"
}
