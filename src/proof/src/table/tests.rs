use super::*;
use crate::tests::cut_off;

fn read(text: &[u8]) -> Vec<String> {
    read_stream(text)
}

/// The rows of a table: the ids and texts of records, or the reasons; with lines and lengths.
fn read_stream(stream: impl Read) -> Vec<String> {
    let mut window = Window::new(stream);
    let delimiter = delimiter(&mut window, true).unwrap();
    let mut reader = TableReader::new(window, delimiter);
    let piece = || reader.next_piece();
    std::iter::from_fn(piece)
        .map(|piece| match piece {
            Piece::Record { record, line, offset, .. } => {
                let UserRequest { id, email, agent, .. } = record;
                format!("{line}@{offset} {id} {email:?} {agent:?}")
            }
            Piece::Unread { line, offset, bytes, reason } => {
                format!("{line}@{offset}+{bytes} {reason}")
            }
        })
        .collect()
}

#[test]
fn table_is_told_from_json_by_its_first_line() {
    for (text, named_as_table, expected) in [
        ("id,email\n", false, Some(b',')),
        ("\u{feff}\r\n \n id\temail,x\tagent\n", false, Some(b'\t')),
        ("x;\"email\"\n", false, Some(b';')),
        ("id;a,b\n", false, Some(b';')),
        ("email,id;agent\n", false, Some(b',')),
        ("email\n", true, Some(b',')),
        ("email\n", false, None),
        ("a,b\nid,email\n", true, None),
        ("{\"id\",email\n", true, None),
        ("[id,email\n", true, None),
        (" \n \x1eid,email\n", true, None),
        ("", true, None),
        ("\n \n", true, None),
        ("id,email", false, Some(b',')),
    ] {
        let mut window = Window::new(text.as_bytes());
        assert_eq!(delimiter(&mut window, named_as_table), expected, "{text:?}");
    }
    let long = format!("{},id", "x".repeat(LINE_BYTES));
    assert_eq!(delimiter(&mut Window::new(long.as_bytes()), true), None);
}

#[test]
fn leading_tab_is_an_empty_cell() {
    assert_eq!(read(b"\n\tid\n\t7\n"), ["3@5 7 \"\" \"\""]);
}

#[test]
fn rows_are_records_with_their_lines() {
    let text =
        b"\xef\xbb\xbf\nid, email ,x,agent\r\n1, a ,,\"b,\n\"\"c\"\"\"\r\n\r\n\n,,,\r 1e2 ,b,\xff,";
    assert_eq!(
        read(text),
        ["3@24 1 \" a \" \"b,\\n\\\"c\\\"\"", "7@46 0 \"\" \"\"", "7@50 100 \"b\" \"\""],
    );
}

#[test]
fn row_that_is_not_a_record_is_rejected_with_its_length() {
    for (row, reason) in [
        ("1,a", "the number of its cells is 2, but that of the header is 3"),
        ("1,a,b,c", "the number of its cells is 4, but that of the header is 3"),
        ("x,a,b", "`id` is not a whole number from -2147483648 to 2147483647"),
        ("1.5,a,b", "`id` is not a whole number from -2147483648 to 2147483647"),
        ("2147483648,a,b", "`id` is not a whole number from -2147483648 to 2147483647"),
    ] {
        let expected = format!("2@15+{} {reason}", row.len());
        for end in ["", "\n", "\r\n"] {
            assert_eq!(read(format!("id,email,agent\n{row}{end}").as_bytes()), [&*expected]);
        }
    }
    assert_eq!(read(b"id,email\n1,\xff\n2,b"), ["2@9+3 `email` is not UTF-8", "3@13 2 \"b\" \"\""]);
}

#[test]
fn header_with_a_field_twice_makes_the_file_unreadable() {
    let text = b"\nuser_name,x,userName\na,b,c\n";
    assert_eq!(read(text), ["2@1+27 the header has `user_name` twice"]);
}

#[test]
fn row_at_which_the_source_cannot_be_read_on_is_rejected() {
    let inside = "the file ends inside this row";
    let error = "cannot be read on: broken";
    for (text, expected) in [
        ("id,email\n1,b\n", vec!["2@9 1 \"b\" \"\"".to_owned(), format!("3@13+0 {error}")]),
        ("id,email\n1,b", vec![format!("2@9+3 {inside}"), format!("2@12+0 {error}")]),
        ("id,email\n1,\"b", vec![format!("2@9+4 {inside}"), format!("2@13+0 {error}")]),
        ("id,email", vec![format!("1@0+8 {inside}"), format!("1@8+0 {error}")]),
        ("id,id\n1", vec!["1@0+7 the header has `id` twice".to_owned(), format!("2@7+0 {error}")]),
    ] {
        assert_eq!(read_stream(cut_off(text.as_bytes())), expected, "{text}");
    }
}

#[test]
fn row_that_is_too_long_costs_itself() {
    let row = |len: usize| format!("1,{}\n", "a".repeat(len - 2));
    let longest = row(1 << 20);
    let text = format!("id,email\n{longest}{}3,c\n", row((1 << 20) + 1));
    let found = read(text.as_bytes());
    let bytes = (1 << 20) + 1;
    let reason = "the row is longer than 1 MiB";
    assert_eq!(
        found[1..],
        [
            format!("3@{}+{bytes} {reason}", 9 + longest.len()),
            format!("4@{} 3 \"c\" \"\"", 9 + longest.len() + bytes + 1),
        ]
    );
}

#[test]
fn row_whose_quotes_do_not_match_is_rejected() {
    let behind = "text follows a closing quote";
    for row in ["1,\"b\"c", "1,\"b\n2,\"c\"", "1,\"b\" c\"", "1,\"the \\\"b\\\"\""] {
        let text = format!("id,email\n{row}\n3,\"d\" \n");
        let found = read(text.as_bytes());
        assert_eq!(found[0], format!("2@9+{} {behind}", row.len()));
        assert!(found[1].ends_with(" 3 \"d \" \"\""), "{found:?}");
    }
    assert_eq!(read(b"id,email\n1,\"b\n2,c\n"), ["2@9+9 a quote is not closed"]);
}

#[test]
fn ids_in_cells_are_integers_or_whole_numbers() {
    for (cell, expected) in [
        ("", Some(0)),
        ("-5", Some(-5)),
        ("007", Some(7)),
        ("1.0", Some(1)),
        ("1e3", Some(1000)),
        ("null", None),
        ("0x1", None),
        ("1 000", None),
    ] {
        assert_eq!(id(cell), expected, "{cell}");
    }
}
