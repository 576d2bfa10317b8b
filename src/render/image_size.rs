//! The size of an image, from its first bytes.

/// The width and height in pixels; `None` if it is not an image of a known kind.
pub(super) fn of(bytes: &[u8]) -> Option<(usize, usize)> {
    let size = imagesize::blob_size(bytes).ok()?;
    Some((size.width, size.height))
}
