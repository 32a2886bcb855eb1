//! How much of a file from outside is taken.

/// Limits on a workbook, and on an archive of scans.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Limits {
    /// Bytes of the file as it comes.
    pub file_bytes: u64,
    /// Files inside the package.
    pub parts: usize,
    /// Bytes of all parts when unpacked; counted while unpacking, because what the package says of itself may be a lie.
    pub expanded_bytes: u64,
    /// How many times a part of more than a megabyte may be larger than its packed form.
    pub ratio: u64,
    /// Rows below the header that are not blank.
    pub rows: u32,
    /// Mistakes that are listed.
    pub errors: usize,
}

const MEBIBYTE: u64 = 1024 * 1024;

impl Default for Limits {
    /// Room for an export of a hundred thousand rows, which is some 16 MB, 140 MB unpacked, and comes back with answers.
    fn default() -> Self {
        Self {
            file_bytes: 20 * MEBIBYTE,
            parts: 2_000,
            expanded_bytes: 400 * MEBIBYTE,
            ratio: 150,
            rows: 200_000,
            errors: 10_000,
        }
    }
}
