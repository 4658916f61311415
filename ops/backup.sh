#!/usr/bin/env bash
# Writes the database into FILE: it is all that cannot be made again. The search index and the events
# are derived from it, the models are downloaded again; the music is yours to back up.
#
#   ops/backup.sh FILE                                  the database of docker-compose.yml
#   SONIQUEBAY_DATABASE_URL=postgresql://... ops/backup.sh FILE      another database; needs pg_dump
#
# The services may keep running: the file holds one consistent moment of the database.
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

trap 'rm -f -- "$file.part"' EXIT
# The table that names the current search index is left out: after a restore the index belongs to
# another database, and must be rebuilt.
# `| cat`: into a file, where it can seek, pg_dump writes its table of contents twice; then a file that
# is cut off could still be read, and nobody would notice.
# (`+`: an empty array is an error in older shells.)
${runner[@]+"${runner[@]}"} pg_dump "${database[@]}" --format=custom --no-owner --no-privileges \
    --exclude-table-data=search_generation | cat > "$file.part"
${runner[@]+"${runner[@]}"} pg_restore --file=/dev/null < "$file.part" # it can be read to its end
mv -- "$file.part" "$file"
echo "$file: $(du -h -- "$file" | cut -f1)" >&2
