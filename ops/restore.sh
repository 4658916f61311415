#!/usr/bin/env bash
# Restores FILE, which ops/backup.sh wrote. It replaces everything in the database or, if anything
# fails, nothing. The search index is rebuilt when the services start again.
#
#   ops/restore.sh FILE                                 into the database of docker-compose.yml
#   SONIQUEBAY_DATABASE_URL=postgresql://... ops/restore.sh FILE     another database; needs psql
#
# Stop the services first: docker compose stop api extractor analyzer vectorizer indexer
set -euo pipefail

if [ $# -ne 1 ]; then
    echo "usage: $0 FILE" >&2
    exit 2
fi
file=$1
if [ -n "${SONIQUEBAY_DATABASE_URL:-}" ]; then
    runner=() database=("--dbname=$SONIQUEBAY_DATABASE_URL")
else
    runner=(docker compose exec -T postgres) database=(--username=soniquebay --dbname=soniquebay)
fi
query() { ${runner[@]+"${runner[@]}"} psql "${database[@]}" --no-psqlrc --quiet --set=ON_ERROR_STOP=1 "$@"; }

# Check the whole file before anything is dropped.
if ! ${runner[@]+"${runner[@]}"} pg_restore --file=/dev/null < "$file"; then
    echo "$file is not a complete back-up: nothing was changed" >&2
    exit 1
fi
others=$(query --no-align --tuples-only --command="SELECT count(*) FROM pg_stat_activity
    WHERE datname = current_database() AND pid <> pg_backend_pid() AND backend_type = 'client backend'" < /dev/null)
if [ "$others" -ne 0 ]; then
    echo "the database is in use ($others connections): stop the services first:" >&2
    echo "    docker compose stop api extractor analyzer vectorizer indexer" >&2
    exit 1
fi
{
    echo "DROP SCHEMA public CASCADE; CREATE SCHEMA public;"
    ${runner[@]+"${runner[@]}"} pg_restore --no-owner --no-privileges --file=- < "$file"
} | query --single-transaction > /dev/null
echo "restored; start the services again: docker compose up -d" >&2
