// Taggers and a reader from npm; arguments, input and output as in python_taggers.py.
import { readFileSync, writeFileSync } from 'node:fs';

const writers = {
  async 'node-taglib-sharp'(path, values) {
    const { File, Picture } = await import('node-taglib-sharp');
    const file = File.createFromPath(path);
    Object.assign(file.tag, {
      title: values.title, performers: values.artists, album: values.album,
      albumArtists: [values.album_artist], track: 3, trackCount: 12, disc: 1, discCount: 2,
      year: Number(values.date.slice(0, 4)), genres: values.genres,
      pictures: [Picture.fromPath(values.cover)],
    });
    file.save();
    file.dispose();
  },
  async 'node-id3'(path, values) {
    if (!path.endsWith('.mp3')) throw new Error('MP3 only');
    const { default: NodeID3 } = await import('node-id3');
    const done = NodeID3.write({
      title: values.title, artist: values.artists.join('/'), album: values.album,
      performerInfo: values.album_artist, trackNumber: '3/12', partOfSet: '1/2',
      year: values.date.slice(0, 4), genre: values.genres[0], image: values.cover,
    }, path);
    if (done !== true) throw done;
  },
  async 'browser-id3-writer'(path, values) {
    if (!path.endsWith('.mp3')) throw new Error('MP3 only');
    const { ID3Writer } = await import('browser-id3-writer');
    const writer = new ID3Writer(readFileSync(path));
    writer.setFrame('TIT2', values.title).setFrame('TPE1', values.artists)
      .setFrame('TALB', values.album).setFrame('TPE2', values.album_artist)
      .setFrame('TRCK', '3/12').setFrame('TPOS', '1/2')
      .setFrame('TYER', Number(values.date.slice(0, 4))).setFrame('TCON', values.genres)
      .setFrame('APIC', { type: 3, data: readFileSync(values.cover), description: '' });
    writer.addTag();
    writeFileSync(path, Buffer.from(writer.arrayBuffer));
  },
};

const readers = {
  async 'music-metadata'(path) {
    const { parseFile } = await import('music-metadata');
    const { common, format } = await parseFile(path, { duration: true });
    return {
      title: common.title, artists: common.artists, album: common.album,
      album_artist: common.albumartist, track: [common.track.no, common.track.of],
      disc: [common.disk.no, common.disk.of], date: common.date ?? common.year?.toString(),
      genres: common.genre, duration_s: format.duration, channels: format.numberOfChannels,
      rate_hz: format.sampleRate, covers: (common.picture ?? []).length,
    };
  },
};

const [job, name] = process.argv.slice(2);
const { values, files } = JSON.parse(readFileSync(0, 'utf8'));
const done = {};
for (const path of files) {
  try {
    done[path] = job === 'write' ? (await writers[name](path, values)) ?? true : await readers[name](path);
  } catch (error) {
    console.error(`${path}: ${error}`);
    done[path] = null;
  }
}
console.log(JSON.stringify(done));
