use crate::tests::pieces;

/// The ids of the records, each with its line; `-` and the number of bytes for what is unread.
fn read(text: &str) -> String {
    pieces(text.as_bytes(), None).join(" ")
}

fn record(id: i32) -> String {
    format!("{{\"id\":{id},\"email\":\"a\"}}")
}

#[test]
fn records_are_read_in_every_layout() {
    let [one, two, three] = [1, 2, 3].map(record);
    for (text, expected) in [
        (String::new(), ""),
        (" \u{feff}\n".to_owned(), ""),
        ("[]\n[[],[ ]]".to_owned(), ""),
        (format!("[{one},{two},{three}]"), "1@1 2@1 3@1"),
        (format!("[\n{one},\n{two},\n{three}\n]\n"), "1@2 2@3 3@4"),
        (format!("\u{feff}{one}\r\n\r\n{two}\n{three}"), "1@1 2@3 3@4"),
        (format!("\x1e{one}\n\x1e{two}\n\x1e{three}\n"), "1@1 2@2 3@3"),
        (format!("{one}{two} {three}"), "1@1 2@1 3@1"),
        (format!("{one},[{two}]\n[[{three}]]"), "1@1 2@1 3@2"),
        (format!("[[{one}],[\n{two},[{three}]],]"), "1@1 2@2 3@2"),
        (format!("[{one}]\u{feff}[{two}],,[,{three}]"), "1@1 2@1 3@1"),
    ] {
        assert_eq!(read(&text), expected, "{text}");
    }
}

#[test]
fn what_is_not_a_record_costs_only_itself() {
    let [one, two] = [1, 2].map(record);
    for (text, expected) in [
        // Valid JSON that is not a record.
        (format!("{one} {{\"x\":1}} {two}"), "1@1 -7@1 2@1"),
        (format!("[{one},7,\"a,[\",null ,{two}]"), "1@1 -1@1 -5@1 -5@1 2@1"),
        (format!("[{one},[1,2],{two}]"), "1@1 -5@1 2@1"),
        (format!("[{one},[],[[1]],{two}]"), "1@1 -3@1 2@1"),
        (format!("[1,[2,{one}],{two}]"), "-1@1 -24@1 2@1"),
        (format!("[1,2] {one}"), "-1@1 -1@1 1@1"),
        // Stray brackets.
        (format!("{one}] {two}"), "1@1 -1@1 2@1"),
        (format!("{one}}}\n{two}"), "1@1 -1@1 2@2"),
        // Arrays that are not closed.
        (format!("[{one}\n"), "1@1 -0@2"),
        (format!("[[{one}"), "1@1 -0@1"),
        ("[".to_owned(), "-0@1"),
        ("[[ ".to_owned(), "-0@1"),
        // Text around.
        (format!("records = {one}; {two}"), "-10@1 1@1 -2@1 2@1"),
        (format!("a\nb\n{one}"), "-1@1 -1@2 1@3"),
    ] {
        assert_eq!(read(&text), expected, "{text}");
    }
}

#[test]
fn damaged_record_costs_only_itself() {
    let [one, two, three] = [1, 2, 3].map(record);
    // 20 bytes each.
    let cut = "{\"id\":2,\"email\":\"a}";
    for (text, expected) in [
        (format!("{one}\n{cut}\n{three}\n"), "1@1 -20@2 3@3"),
        (format!("[\n{one},\n{cut},\n{three}\n]"), "1@2 -21@3 3@4"),
        (format!("{one}\n{{\"id\":2,\n{three}\n"), "1@1 -9@2 3@3"),
        (format!("{one},{{\"id\":2,{three}"), "1@1 -8@1 3@1"),
        (format!("{one}\n\"id\":2,\"email\":\"a\"}}\n{three}"), "1@1 -6@2 -12@2 3@3"),
        (format!("{one}\n\"x\":{two}}}\n{three}"), "1@1 -25@2 3@3"),
        (format!("{one}\n{{\"x\":[{two}}}\n{three}"), "1@1 -27@2 3@3"),
        (format!("{one}\n{{\"x\":{two}]}}\n{three}"), "1@1 -27@2 3@3"),
        (format!("{one}\n{{\"id\":02}}\n{three}"), "1@1 -9@2 3@3"),
        (format!("[{one},\n{{\"id\":2"), "1@1 -7@2 -0@2"),
        (format!("{one} {{\"id\":2"), "1@1 -7@1"),
    ] {
        assert_eq!(read(&text), expected, "{text}");
    }
}

#[test]
fn blanks_do_not_take_memory() {
    let blanks = " ".repeat(3 << 20);
    let one = record(1);
    assert_eq!(read(&format!("[[{blanks}{one}]]")), "1@1");
    let bytes = blanks.len() + 3;
    assert_eq!(read(&format!("[[{blanks}2]\n,{one}]")), format!("-{bytes}@1 1@2"));
}

#[test]
fn records_may_be_long_but_not_too_long() {
    let with = |id: i32, len: usize| {
        let rest = "x".repeat(len - record(id).len());
        record(id).replace("\"a\"", &format!("\"a{rest}\""))
    };
    let text = format!("{}\n{}\n{}", with(1, 1 << 20), with(2, (1 << 20) + 1), record(3));
    assert_eq!(read(&text), format!("1@1 -{}@2 3@3", (1 << 20) + 1));
}
