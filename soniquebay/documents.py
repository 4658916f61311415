"""The GraphQL documents of the command line."""

STATUS = """
query Status {
  status {
    tracks files missing analyzed vectorized indexed damaged failed pending
    artists albums genres activeScans
    stages { stage done failed total } paused { stage reason }
    unresolvedScans { id root folder state message finishedAt }
  }
}
"""
PROGRESS = """
query Progress {
  status { pending activeScans stages { stage done failed total } paused { stage reason } }
}
"""
UNRESOLVED_SCANS = """
query UnresolvedScans {
  status { unresolvedScans { id root folder state message } }
}
"""
REQUEST_SCAN = """
mutation RequestScan($input: RequestScanInput!) {
  requestScan(input: $input) { scan { id state } error { code message } }
}
"""
SCAN = """
query Scan($id: ID!) {
  scan(id: $id) {
    id root folder mode state message library { id name }
    filesSeen filesToRead filesRead filesFailed filesUnchanged filesMissing filesHeld
    acceptMissing requestedAt finishedAt
  }
}
"""
SEARCH = """
query Search($text: String!, $first: Int!, $mode: SearchMode!) {
  search(text: $text, first: $first, mode: $mode) {
    totalCount
    hits { score track { id title artists displayPath album { title } } }
  }
}
"""
SIMILAR = """
query Similar($ids: [ID!]!, $first: Int!, $space: VectorSpace!) {
  tracksById(ids: $ids) {
    id title artists stage
    similar(first: $first, space: $space) {
      score track { id title artists displayPath album { title } }
    }
  }
}
"""
SHOW = """
query Show($ids: [ID!]!) {
  tracksById(ids: $ids) {
    id title artistCredit artists displayPath isMissing stage year releaseDate
    trackNumber trackTotal discNumber discTotal
    part { number startS endS cueSheet } cueProblem chapters { title startS endS }
    container codec durationS bitrateBps sampleRateHz channels bitDepth
    tempoBpm key mode camelot moods correction { tempoBpm key genres moods correctedAt }
    hasLyrics musicbrainzRecordingId library { name root }
    album { id title artistCredit } genres { name } credits { role creditedAs }
    importedFacts {
      source isCollection rating playCount energy key tempoBpm gainDb problem
      cues { kind index startS endS name color } beatGrid { startS tempoBpm beats beatInBar }
    }
    replaygain { trackGainDb albumGainDb } cover { url mimeType width height }
    analysis {
      analyzerVersion tempoBpm tempoConfidence tempoAlternativeBpm onsetRateHz danceability
      tempoStability beatsPerBar
      key mode keyConfidence camelot openKey secondKey secondMode keyChanges { timeS key mode }
      tuningCents truePeakDbtp bandwidthHz bandwidthKind isMonoInStereo
      loudnessLufs loudnessRangeLu peakDbfs
      replaygainTrackGainDb dynamicRangeDb crestDb energy brightness spectralCentroidHz
      silenceStartS silenceEndS clippingShare fingerprint acoustidId damaged
      meaningAbsence meaning {
        model version genre genreConfidence tags(first: 5) { name score }
        aggressive { score confidence } relaxed { score confidence } party { score confidence }
        happy { score confidence } sad { score confidence } acoustic { score confidence }
        electronic { score confidence } instrumental { score confidence }
        energy { score confidence } valence { score confidence } arousal { score confidence }
      }
    }
  }
}
"""
CORRECT = """
mutation Correct($input: [CorrectionInput!]!) {
  correctTracks(input: $input) { results { id status error { code message field } } }
}
"""
CORRECTED = """
query Corrected($ids: [ID!]!) {
  tracksById(ids: $ids) {
    id title artists displayPath tempoBpm key mode camelot genres { name } moods
    analysis { tempoBpm tempoConfidence key mode keyConfidence camelot }
    correction {
      tempoBpm key mode camelot genres moods tagGenres tagMoods correctedAt
    }
  }
}
"""
IMPORT_FACTS = """
mutation ImportFacts($libraryId: ID!, $importId: UUID!, $input: [FileFactInput!]!) {
  importFacts(libraryId: $libraryId, importId: $importId, input: $input) {
    trackIds errors { item error { message } }
  }
}
"""
END_IMPORT = """
mutation EndImport($libraryId: ID!, $importId: UUID!, $source: String!) {
  endImport(libraryId: $libraryId, importId: $importId, source: $source)
}
"""
LIBRARIES = """
query Libraries { libraries { id name root trackCount isBeingRemoved } }
"""
# Without the counts, which take long in large libraries.
LIBRARY_ROOTS = "query LibraryRoots { libraries { id name root } }"
MOVE_LIBRARY = """
mutation MoveLibrary($id: ID!, $root: String!) {
  moveLibrary(id: $id, root: $root) { library { id name root } error { code message } }
}
"""
RENAME_LIBRARY = """
mutation RenameLibrary($id: ID!, $name: String!) {
  renameLibrary(id: $id, name: $name) { library { id name root } error { code message } }
}
"""
REMOVE_LIBRARY = """
mutation RemoveLibrary($id: ID!, $name: String, $dryRun: Boolean) {
  removeLibrary(id: $id, name: $name, dryRun: $dryRun) {
    contents { files tracks missing corrected } error { code message }
  }
}
"""
PURGE_MISSING = """
mutation PurgeMissing($days: Int!, $library: ID, $dryRun: Boolean) {
  purgeMissingTracks(olderThanDays: $days, libraryId: $library, dryRun: $dryRun) {
    purged remaining error { code message }
  }
}
"""
PAUSE = "mutation Pause { pauseAnalysis }"
RESUME = "mutation Resume { resumeAnalysis }"
TRACKS_BY_PATH = """
query TracksByPath($path: String!) {
  tracks(first: 100, filter: { pathPrefix: $path, isMissing: null }) {
    edges { node { id title artists displayPath path library { root } album { title } } }
  }
}
"""
FIRST_TRACK = """
query FirstTrack { tracks(first: 1) { edges { node { id title artists } } } }
"""
FAILURES = """
query Failures($first: Int!, $after: String, $filter: FailureFilter) {
  failures(first: $first, after: $after, filter: $filter) {
    totalCount pageInfo { hasNextPage endCursor }
    edges { node {
      id path displayPath stage kind message detail attempts trackId scanId topic failedAt
    } }
  }
}
"""
REPLAY = """
mutation Replay($filter: FailureFilter) {
  replayFailures(filter: $filter) { replayed failures { id displayPath stage message } }
}
"""
