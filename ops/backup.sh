#!/usr/bin/env bash
# Writes everything that cannot be made again into FILE: the database. The search index, the bus
# and the models are derived from it or fetched again; the music is yours to back up.
#
#   ops/backup.sh FILE                                  the database of docker-compose.yml
#   SONIQUEBAY_DATABASE_URL=postgresql://... ops/backup.sh FILE      another one; needs pg_dump
#
# The services may go on meanwhile: the file holds one moment of the database.
set -euo pipefail

if [ $# -ne 1 ]; then
    echo "usage: $0 FILE" >&2
    exit 2
fi
file=$1
if [ -n "${SONIQUEBAY_DATABASE_URL:-}" ]; then
    within=() database=("--dbname=$SONIQUEBAY_DATABASE_URL")
else
    within=(docker compose exec -T postgres) database=(--username=soniquebay --dbname=soniquebay)
fi

trap 'rm -f -- "$file.part"' EXIT
# Which index was in use is left out: after a restore none is known, so it is made anew.
# `cat`: where pg_dump can seek it writes its table of contents twice, and a cut goes unnoticed.
# (An empty array is an error in older shells, hence the +.)
${within[@]+"${within[@]}"} pg_dump "${database[@]}" --format=custom --no-owner --no-privileges \
    --exclude-table-data=search_generation | cat > "$file.part"
${within[@]+"${within[@]}"} pg_restore --file=/dev/null < "$file.part" # it can be read to its end
mv -- "$file.part" "$file"
echo "$file: $(du -h -- "$file" | cut -f1)" >&2
