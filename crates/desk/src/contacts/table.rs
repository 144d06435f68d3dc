//! Reads tables as offices make them: comma, semicolon or tab; UTF-8 with or without mark, UTF-16, Windows-1252; CSV, JSON
//! lines or a JSON array. Bytes in, rows with their line numbers out, and what could not be read by its line. Pure.

use std::collections::HashMap;

/// A file larger than this is refused before anything is read.
pub const BYTES_MAX: usize = 256 * 1024 * 1024;
const COLUMNS_MAX: usize = 500;
/// Longer cells are cut: nothing about a person is that long.
const CELL_CHARS_MAX: usize = 10_000;

/// A table.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct Table {
    /// Names of the columns, trimmed.
    pub columns: Vec<String>,
    /// The rows.
    pub rows: Vec<Line>,
    /// Lines that could not be read: line number and reason.
    pub unreadable: Vec<(usize, String)>,
    /// What the file turned out to be: `UTF-8`, `Windows-1252`, ..
    pub encoding: &'static str,
    /// What parts the cells: `comma`, `semicolon`, `tab`, or `json`.
    pub separator: &'static str,
}

/// One row with the line of the file on which it begins.
#[derive(Clone, Debug, PartialEq)]
pub struct Line {
    /// Line number, from 1.
    pub number: usize,
    /// The cells, as many as there are columns.
    pub cells: Vec<String>,
}

/// Why a file is no table.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum TableError {
    /// Nothing in it.
    #[error("the file is empty")]
    Empty,
    /// Larger than `BYTES_MAX`.
    #[error("the file is larger than 256 MiB")]
    TooLarge,
    /// A picture, a spreadsheet in its own format ..
    #[error("this is no text file; save it as CSV (in a spreadsheet: Save as, CSV) and try again")]
    Binary,
    /// Text, but no header.
    #[error("the first line must name the columns: {0}")]
    Header(String),
    /// Broken JSON right at the start.
    #[error("line {line} is no JSON: {text}")]
    Json {
        /// Which line.
        line: usize,
        /// What the parser says.
        text: String,
    },
}

/// Reads a table of any of the known kinds.
pub fn read(bytes: &[u8]) -> Result<Table, TableError> {
    if bytes.len() > BYTES_MAX {
        return Err(TableError::TooLarge);
    }
    let (text, encoding) = decode(bytes)?;
    let begin = text.trim_start();
    if begin.is_empty() {
        return Err(TableError::Empty);
    }
    let mut table = match begin.as_bytes()[0] {
        b'{' => json_lines(&text)?,
        b'[' => json_array(&text)?,
        _ => separated(&text)?,
    };
    table.encoding = encoding;
    Ok(table)
}

fn decode(bytes: &[u8]) -> Result<(String, &'static str), TableError> {
    if bytes.is_empty() {
        return Err(TableError::Empty);
    }
    if let Some((encoding, mark)) = encoding_rs::Encoding::for_bom(bytes) {
        let (text, _) = encoding.decode_without_bom_handling(&bytes[mark..]);
        return Ok((text.into_owned(), encoding.name()));
    }
    if bytes.iter().take(8_000).any(|b| *b == 0) || bytes.starts_with(b"PK\x03\x04") || bytes.starts_with(b"%PDF") {
        return Err(TableError::Binary);
    }
    match std::str::from_utf8(bytes) {
        Ok(text) => Ok((text.to_owned(), "UTF-8")),
        Err(_) => Ok((encoding_rs::WINDOWS_1252.decode_without_bom_handling(bytes).0.into_owned(), "windows-1252")),
    }
}

fn cell(text: &str) -> String {
    let text = model::fold::clean(text.trim());
    // An export puts an apostrophe before a cell that a spreadsheet would take for a formula; it comes off again here.
    let text = match text.strip_prefix('\'') {
        Some(rest) if rest.starts_with(['=', '+', '-', '@', '\t', '\n']) => rest,
        _ => &text,
    };
    model::fold::truncate(text, CELL_CHARS_MAX).to_owned()
}

fn separated(text: &str) -> Result<Table, TableError> {
    let first = text.lines().find(|line| !line.trim().is_empty()).unwrap_or_default();
    let mut quoted = false;
    let mut counts = [0_usize; 3];
    for c in first.chars() {
        match c {
            '"' => quoted = !quoted,
            ',' if !quoted => counts[0] += 1,
            ';' if !quoted => counts[1] += 1,
            '\t' if !quoted => counts[2] += 1,
            _ => {}
        }
    }
    let kinds = [(b',', "comma"), (b';', "semicolon"), (b'\t', "tab")];
    let best = (0..3).rev().max_by_key(|n| counts[*n]).unwrap_or(0);
    let (separator, name) = kinds[best];
    let mut reader = csv::ReaderBuilder::new()
        .delimiter(separator)
        .has_headers(false)
        .flexible(true)
        .trim(csv::Trim::All)
        .from_reader(text.as_bytes());
    let mut records = reader.records();
    let header = loop {
        match records.next() {
            Some(Ok(record)) if record.iter().any(|c| !c.trim().is_empty()) => break record,
            Some(Ok(_)) => {}
            Some(Err(error)) => return Err(TableError::Header(error.to_string())),
            None => return Err(TableError::Empty),
        }
    };
    let columns: Vec<String> = header.iter().map(cell).collect();
    check_header(&columns)?;
    let mut table = Table { columns, separator: name, ..Table::default() };
    for record in records {
        match record {
            Ok(record) => {
                let number = record.position().map_or(0, |p| usize::try_from(p.line()).unwrap_or(0));
                let mut cells: Vec<String> = record.iter().map(cell).collect();
                let extra = cells.iter().skip(table.columns.len()).any(|c| !c.is_empty());
                if extra {
                    let text = format!("{} cells, but {} columns", cells.len(), table.columns.len());
                    table.unreadable.push((number, text));
                    continue;
                }
                cells.resize(table.columns.len(), String::new());
                if cells.iter().any(|c| !c.is_empty()) {
                    table.rows.push(Line { number, cells });
                }
            }
            Err(error) => {
                let number = error.position().map_or(0, |p| usize::try_from(p.line()).unwrap_or(0));
                table.unreadable.push((number, "this line cannot be read".to_owned()));
            }
        }
    }
    Ok(table)
}

fn check_header(columns: &[String]) -> Result<(), TableError> {
    if columns.len() > COLUMNS_MAX {
        return Err(TableError::Header(format!("there are {} of them, at most 500 can be read", columns.len())));
    }
    let mut seen = std::collections::HashSet::new();
    for column in columns.iter().filter(|c| !c.is_empty()) {
        if !seen.insert(column.to_lowercase()) {
            return Err(TableError::Header(format!("two columns are called {column}")));
        }
    }
    if seen.is_empty() {
        return Err(TableError::Header("none of them has a name".to_owned()));
    }
    Ok(())
}

fn json_lines(text: &str) -> Result<Table, TableError> {
    let mut objects = Vec::new();
    let mut unreadable = Vec::new();
    for (at, line) in text.lines().enumerate().filter(|(_, line)| !line.trim().is_empty()) {
        match serde_json::from_str::<serde_json::Map<String, serde_json::Value>>(line) {
            Ok(object) => objects.push((at + 1, object)),
            Err(error) if objects.is_empty() => return Err(TableError::Json { line: at + 1, text: error.to_string() }),
            Err(_) => unreadable.push((at + 1, "this line is no JSON object".to_owned())),
        }
    }
    Ok(Table { unreadable, ..from_objects(objects) })
}

fn json_array(text: &str) -> Result<Table, TableError> {
    let all: Vec<serde_json::Map<String, serde_json::Value>> =
        serde_json::from_str(text).map_err(|error| TableError::Json { line: error.line(), text: error.to_string() })?;
    if all.is_empty() {
        return Err(TableError::Empty);
    }
    Ok(from_objects(all.into_iter().enumerate().map(|(at, object)| (at + 1, object)).collect()))
}

fn from_objects(objects: Vec<(usize, serde_json::Map<String, serde_json::Value>)>) -> Table {
    let mut columns: Vec<String> = Vec::new();
    let mut places: HashMap<String, usize> = HashMap::new();
    let mut rows = Vec::with_capacity(objects.len());
    for (number, object) in objects {
        let mut cells = vec![String::new(); columns.len()];
        for (name, value) in object {
            let at = *places.entry(name.clone()).or_insert_with(|| {
                columns.push(name);
                columns.len() - 1
            });
            if at >= cells.len() {
                cells.resize(at + 1, String::new());
            }
            cells[at] = match value {
                serde_json::Value::Null => String::new(),
                serde_json::Value::String(text) => cell(&text),
                other => cell(&other.to_string()),
            };
        }
        rows.push(Line { number, cells });
    }
    for row in &mut rows {
        row.cells.resize(columns.len(), String::new());
    }
    Table { columns, rows, separator: "json", ..Table::default() }
}

/// A cell as an export writes it: quoted where needed, and with an apostrophe where a spreadsheet would calculate.
pub fn export_cell(text: &str) -> String {
    let risky = text.starts_with(['=', '+', '-', '@']) || text.chars().next().is_some_and(char::is_control);
    let safe = if risky { format!("'{text}") } else { text.to_owned() };
    if safe.contains(['"', ',', ';', '\n', '\r', '\t']) || safe.starts_with(' ') || safe.ends_with(' ') {
        format!("\"{}\"", safe.replace('"', "\"\""))
    } else {
        safe
    }
}

/// One line of an export.
pub fn export_line<'a>(cells: impl Iterator<Item = &'a str>) -> String {
    let mut line = cells.map(export_cell).collect::<Vec<_>>().join(",");
    line.push_str("\r\n");
    line
}

#[cfg(test)]
mod tests {
    use super::*;

    fn cells(table: &Table) -> Vec<(usize, Vec<&str>)> {
        table.rows.iter().map(|l| (l.number, l.cells.iter().map(String::as_str).collect())).collect()
    }

    #[test]
    fn the_three_separators_and_quotes() {
        for (text, separator) in [
            ("name,email\n\"Novak, Ada\",ada@ex.com\n", "comma"),
            ("name;email\n\"Novak, Ada\";ada@ex.com\n", "semicolon"),
            ("name\temail\nNovak, Ada\tada@ex.com\r\n", "tab"),
        ] {
            let table = read(text.as_bytes()).unwrap();
            assert_eq!((table.separator, cells(&table)), (separator, vec![(2, vec!["Novak, Ada", "ada@ex.com"])]), "{text}");
        }
        assert_eq!(read(b"email\nada@ex.com").unwrap().rows.len(), 1, "one column has no separator");
    }

    #[test]
    fn the_encodings_of_offices() {
        let utf16: Vec<u8> = [0xFF, 0xFE].into_iter().chain("name\nÉva\n".encode_utf16().flat_map(u16::to_le_bytes)).collect();
        for (bytes, encoding) in [
            ("name\nÉva\n".as_bytes().to_vec(), "UTF-8"),
            ("\u{FEFF}name\nÉva\n".as_bytes().to_vec(), "UTF-8"),
            (b"name\n\xC9va\n".to_vec(), "windows-1252"),
            (utf16, "UTF-16LE"),
        ] {
            let table = read(&bytes).unwrap();
            assert_eq!((table.encoding, table.columns[0].as_str(), table.rows[0].cells[0].as_str()), (encoding, "name", "Éva"));
        }
    }

    #[test]
    fn wrong_files_say_what_is_wrong() {
        assert_eq!(read(b""), Err(TableError::Empty));
        assert_eq!(read(b" \n \n"), Err(TableError::Empty));
        assert_eq!(read(b"PK\x03\x04......"), Err(TableError::Binary));
        assert_eq!(read(&[0, 1, 2, 3]), Err(TableError::Binary));
        assert!(matches!(read(b"a,A\n1,2"), Err(TableError::Header(_))));
        assert!(matches!(read(b"{oops"), Err(TableError::Json { line: 1, .. })));
        assert!(matches!(read(b"[1,2]"), Err(TableError::Json { .. })));
        let table = read(b"a,b\n1,2,3\n4\n").unwrap();
        assert_eq!((table.unreadable.len(), table.unreadable[0].0, cells(&table)), (1, 2, vec![(3, vec!["4", ""])]));
    }

    #[test]
    fn json_lines_and_arrays() {
        let table = read(b"{\"a\":1,\"b\":null}\n\n{\"c\":\"x\"}\nnope\n").unwrap();
        assert_eq!(table.columns, ["a", "b", "c"]);
        assert_eq!(cells(&table), [(1, vec!["1", "", ""]), (3, vec!["", "", "x"])]);
        assert_eq!(table.unreadable.len(), 1);
        assert_eq!(read(b"[{\"a\":true}]").unwrap().rows[0].cells, ["true"]);
    }

    #[test]
    fn formulas_are_made_harmless_and_come_back_whole() {
        for text in ["=1+1", "+49 171", "-x", "@a", "plain", "a \"b\", c", "\tx"] {
            let line = format!("name\r\n{}", export_line([text].into_iter()));
            assert_eq!(read(line.as_bytes()).unwrap().rows[0].cells[0], text, "{line}");
        }
        assert_eq!(export_cell("=1+1"), "'=1+1");
    }
}
