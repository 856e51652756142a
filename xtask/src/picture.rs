//! Pictures of pages, made small: a page has few colours.

use anyhow::Context;
use std::collections::HashMap;

/// Colours that a byte can tell apart.
const COLOURS: usize = 256;

/// The same picture with a palette. Of more than 256 colours the rarer ones, which are edges of letters, become their
/// nearest neighbours.
pub(crate) fn small(picture: &[u8]) -> anyhow::Result<Vec<u8>> {
    let mut decoder = png::Decoder::new(std::io::Cursor::new(picture));
    decoder.set_transformations(png::Transformations::normalize_to_color8());
    let mut reader = decoder.read_info()?;
    let mut pixels = vec![0; reader.output_buffer_size().context("a picture has a size")?];
    let info = reader.next_frame(&mut pixels)?;
    pixels.truncate(info.buffer_size());
    let pixels: Vec<[u8; 3]> =
        pixels.chunks_exact(info.color_type.samples()).map(|pixel| [pixel[0], pixel[1], pixel[2]]).collect();
    let mut counts: HashMap<[u8; 3], usize> = HashMap::new();
    // a page is mostly ground: neighbours are looked up together
    let runs = || pixels.chunk_by(|one, other| one == other);
    for run in runs() {
        *counts.entry(run[0]).or_default() += run.len();
    }
    let mut palette: Vec<([u8; 3], usize)> = counts.into_iter().collect();
    palette.sort_unstable_by_key(|(colour, count)| (std::cmp::Reverse(*count), *colour));
    let palette: Vec<[u8; 3]> = palette.into_iter().map(|(colour, _)| colour).collect();
    let kept = &palette[..palette.len().min(COLOURS)];
    let places: HashMap<[u8; 3], u8> = palette.iter().map(|colour| (*colour, nearest(kept, *colour))).collect();
    let indices: Vec<u8> = runs().flat_map(|run| std::iter::repeat_n(places[&run[0]], run.len())).collect();
    let mut out = Vec::new();
    let mut encoder = png::Encoder::new(&mut out, info.width, info.height);
    encoder.set_color(png::ColorType::Indexed);
    encoder.set_depth(png::BitDepth::Eight);
    encoder.set_palette(kept.concat());
    encoder.set_compression(png::Compression::High);
    // neighbours in a palette have nothing to do with each other
    encoder.set_filter(png::Filter::NoFilter);
    encoder.write_header()?.write_image_data(&indices)?;
    Ok(out)
}

fn nearest(palette: &[[u8; 3]], colour: [u8; 3]) -> u8 {
    let distance = |other: &[u8; 3]| -> u32 {
        other.iter().zip(colour).map(|(one, other)| u32::from(one.abs_diff(other)).pow(2)).sum()
    };
    let place = palette.iter().enumerate().min_by_key(|(_, other)| distance(other)).map_or(0, |(place, _)| place);
    u8::try_from(place).unwrap_or_default()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn picture(pixels: &[u8], width: u32) -> Vec<u8> {
        let mut out = Vec::new();
        let mut encoder = png::Encoder::new(&mut out, width, u32::try_from(pixels.len()).unwrap() / 3 / width);
        encoder.set_color(png::ColorType::Rgb);
        encoder.write_header().unwrap().write_image_data(pixels).unwrap();
        out
    }

    fn colours(picture: &[u8]) -> Vec<u8> {
        let mut decoder = png::Decoder::new(std::io::Cursor::new(picture));
        decoder.set_transformations(png::Transformations::EXPAND);
        let mut reader = decoder.read_info().unwrap();
        let mut pixels = vec![0; reader.output_buffer_size().unwrap()];
        reader.next_frame(&mut pixels).unwrap();
        pixels
    }

    #[test]
    fn a_picture_of_few_colours_stays_as_it_is() {
        let pixels: Vec<u8> = (0..=255_u8).flat_map(|value| [value, 7, 255 - value]).collect();
        assert_eq!(colours(&small(&picture(&pixels, 16)).unwrap()), pixels);
    }

    #[test]
    fn a_rare_colour_becomes_its_neighbour() {
        let mut pixels: Vec<u8> = (0..=255_u8).flat_map(|value| [value, 0, 0]).cycle().take(256 * 2 * 3).collect();
        pixels.extend([200, 1, 0]);
        let found = colours(&small(&picture(&pixels, 27)).unwrap());
        assert_eq!(found[found.len() - 3..], [200, 0, 0]);
    }
}
