from pathlib import Path
import asyncpg
from shared.runtime.settings import Settings
from tests.integration.extractor_setup import LibraryClient, running_extractor

Q = "{ albums(first: 100) { edges { node { title artistCredit year discTotal isCompilation artists { artist { name } creditedAs } tracks { path } } } pageInfo { hasNextPage } } artists(first: 100) { edges { node { name } } } }"


async def test_cases(pool: asyncpg.Pool, database_settings: Settings) -> None:
    async with running_extractor(pool, database_settings) as gateway:
        for sub in ("r03", "r07", "r13", "r40", "r09"):
            for t in ("libraries", "tracks", "albums", "artists"):
                await pool.execute(f"DELETE FROM {t}")
            c = LibraryClient(gateway, Path("/tmp/albums_cases") / sub)
            print(sub, await c.scan())
            f = await gateway.execute_document(Q, {})
            for e in f["albums"]["edges"]:
                n = e["node"]
                print(
                    "  ",
                    n["title"],
                    "|",
                    n["artistCredit"],
                    n["year"],
                    n["discTotal"],
                    [a["creditedAs"] + "/" + a["artist"]["name"] for a in n["artists"]],
                    [t["path"] for t in n["tracks"]],
                )
            print("   artists:", [e["node"]["name"] for e in f["artists"]["edges"]])
            s = await c.scan()
            print("   second:", s)
            await pool.execute("CREATE TEMP TABLE IF NOT EXISTS x (a int)")
            rev = await pool.fetch("select id, revision, album_id from tracks order by id")
            dump = "select f.path, t.album_id, t.revision, t.album_claim, c.album_id, c.claimed_at from tracks t join files f on f.track_id=t.id left join album_claims c on c.claim = t.album_claim order by 1"
            if sub == "r03":
                for r in await pool.fetch(dump):
                    print(tuple(r))
            s = await c.scan(mode="FULL")
            print("   full:", s)
            if sub == "r03":
                for r in await pool.fetch(dump):
                    print(tuple(r))
            assert [
                tuple(r)
                for r in await pool.fetch("select id, revision, album_id from tracks order by id")
            ] == [tuple(r) for r in rev]
