//! Writes tags with lofty: `lofty-tagger TITLE ARTISTS ALBUM ALBUM_ARTIST DATE GENRES COVER FILE...`, where lists are
//! separated by ";". Prints each file that it took.

use lofty::config::WriteOptions;
use lofty::picture::{MimeType, Picture, PictureType};
use lofty::prelude::*;
use lofty::tag::{ItemKey, ItemValue, Tag, TagItem};

fn write(path: &str, values: &[String]) -> Result<(), Box<dyn std::error::Error>> {
    let mut file = lofty::read_from_path(path)?;
    let kind = file.primary_tag_type();
    if file.primary_tag().is_none() {
        file.insert_tag(Tag::new(kind));
    }
    let tag = file.primary_tag_mut().ok_or("no tag")?;
    tag.set_title(values[0].clone());
    for artist in values[1].split(';') {
        tag.push(TagItem::new(ItemKey::TrackArtist, ItemValue::Text(artist.into())));
    }
    tag.set_album(values[2].clone());
    tag.insert_text(ItemKey::AlbumArtist, values[3].clone());
    tag.insert_text(ItemKey::RecordingDate, values[4].clone());
    for genre in values[5].split(';') {
        tag.push(TagItem::new(ItemKey::Genre, ItemValue::Text(genre.into())));
    }
    tag.set_track(3);
    tag.set_track_total(12);
    tag.set_disk(1);
    tag.set_disk_total(2);
    let image = std::fs::read(&values[6])?;
    tag.push_picture(Picture::new_unchecked(PictureType::CoverFront, Some(MimeType::Jpeg), None, image));
    tag.save_to_path(path, WriteOptions::default())?;
    Ok(())
}

fn main() {
    let arguments: Vec<String> = std::env::args().skip(1).collect();
    for path in &arguments[7..] {
        match write(path, &arguments) {
            Ok(()) => println!("{path}"),
            Err(error) => eprintln!("{path}: {error}"),
        }
    }
}
