//! The two faces of papers, labels and screen: a subset of Noto Sans CJK SC (`assets/fonts/README.md`).

/// For running text.
pub static REGULAR: &[u8] = include_bytes!("../../../assets/fonts/NotoSansSC-Subset.otf");
/// For headings, numbers and verdicts.
pub static BOLD: &[u8] = include_bytes!("../../../assets/fonts/NotoSansSC-Bold-Subset.otf");
