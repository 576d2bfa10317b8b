//! The natural size of a picture, from its first bytes.

/// Width and height in pixels; `None` for what is no picture of a known kind.
pub(super) fn of(bytes: &[u8]) -> Option<(usize, usize)> {
    let size = imagesize::blob_size(bytes).ok()?;
    Some((size.width, size.height))
}
