//! A table of odd inputs, and what comes out.

use std::io::{self, Read};

use super::super::{Item, RECORD_BYTES_MAX};
use super::{outcome, read, read_in_steps, reader_of};

/// Checks what comes out of `input`, however it arrives.
#[track_caller]
pub(super) fn check(input: impl AsRef<[u8]>, expected: &[&str]) {
    let input = input.as_ref();
    let shown = String::from_utf8_lossy(&input[..input.len().min(200)]);
    for step in [1, 7, usize::MAX] {
        let outcome = outcome(read_in_steps(input, step));
        assert_eq!(outcome.lines().collect::<Vec<_>>(), expected, "{step} at once: {shown}");
    }
}

#[test]
fn every_layout_is_read() {
    check("[]", &[]);
    check("\u{feff}[\r\n]\r\n", &[]);
    check(r#"[{"id":1},{"id":2}]"#, &["1: id 1", "1: id 2"]);
    check("[{\"id\":1},\n{\"id\":2}\n]\n", &["1: id 1", "2: id 2"]);
    check("[ {\r\n  \"id\" : 1\r\n}, {\r\n  \"id\" : 2\r\n} ]", &["1: id 1", "3: id 2"]);
    check("{\"id\":1}\n{\"id\":2}", &["1: id 1", "2: id 2"]);
    check("\u{feff}{\"id\":1}\r\n\r\n{\"id\":2}\r\n", &["1: id 1", "3: id 2"]);
    check("{\n  \"id\": 1\n}\n{\n  \"id\": 2\n}\n", &["1: id 1", "4: id 2"]);
    check(r#"{"id":1}{"id":2} {"id":3}"#, &["1: id 1", "1: id 2", "1: id 3"]);
}

#[test]
fn arrays_one_after_another_and_objects_around_them_are_read() {
    check("[{\"id\":1}]\n[{\"id\":2}]\n{\"id\":3}\n", &["1: id 1", "2: id 2", "3: id 3"]);
    check("{\"id\":1}\n[{\"id\":2}]\n{\"id\":3}", &["1: id 1", "2: id 2", "3: id 3"]);
    check("[[],[]]", &[]);
    check(r#"[][{"id":1}][[{"id":2}],[{"id":3}]]"#, &["1: id 1", "1: id 2", "1: id 3"]);
}

#[test]
fn byte_order_mark_may_stand_before_any_record() {
    check(
        "\u{feff}{\"id\":1}\n\u{feff}{\"id\":2}\n\u{feff}[\u{feff}{\"id\":3}]",
        &["1: id 1", "2: id 2", "3: id 3"],
    );
}

#[test]
fn record_separators_of_rfc_7464_are_passed() {
    check("\u{1e}{\"id\":1}\n\u{1e}{\"id\":2}\n", &["1: id 1", "2: id 2"]);
}

#[test]
fn empty_file_is_noted() {
    check("", &["1: note: this file is empty"]);
    check(" \r\n\t\n", &["1: note: this file is empty"]);
    check("\u{feff}", &["1: note: this file is empty"]);
}

#[test]
fn trailing_comma_is_noted() {
    let note = "2: note: a comma stands before the closing ]: the file may have been cut there";
    check("[{\"id\":1},\n]", &["1: id 1", note]);
    check("[{\"id\":1}{\"id\":2},,\n,{\"id\":3}]", &["1: id 1", "1: id 2", "2: id 3"]);
    check("{\"id\":1},\n{\"id\":2},\n", &["1: id 1", "2: id 2"]);
}

#[test]
fn text_before_the_first_bracket_is_noted() {
    let note = |text: &str, bytes: usize| {
        format!("1: note: `{text}` stands before the first bracket; {bytes} bytes were not read")
    };
    check(
        "Warning: x\n[{\"id\":1},\n{\"id\":2}]",
        &[&note("Warning: x", 10), "2: id 1", "3: id 2"],
    );
    check("# users\n# of 2026\n  {\"id\":1}\n", &[&note("# users\\n# of 2026", 17), "3: id 1"]);
    check(
        "callback([{\"id\":1}]);",
        &[&note("callback(", 9), "1: id 1", "1: expected a record, found `);`"],
    );
}

#[test]
fn rest_of_a_record_before_the_first_bracket_is_rejected() {
    check(
        "\"id\":1,\"email\":\"a\"},\n{\"id\":2}",
        &["1: expected a record, found `\"id\":1\\n\"email\":\"a\"}`", "2: id 2"],
    );
    check("no JSON at all\n", &["1: expected a record, found `no JSON at all`"]);
}

#[test]
fn values_that_are_not_objects_are_numbered_and_end_the_text_before_them() {
    let mut reader = read(b"note: exported\n5\n{\"id\":1}\n6");
    let items = super::all(&mut reader, |item| match item {
        Item::Record { position, .. } => (position.line, position.record),
        Item::Rejected(rejection) => (rejection.position.line, rejection.position.record),
        Item::Note(note) => (note.line, 0),
    });
    assert_eq!(items, [(1, 0), (2, 1), (3, 2), (4, 3)]);
}

#[test]
fn strings_hide_brackets_and_quotes() {
    check(r#"[{"email":"}],{[\"\\","id":1},{"id":2}]"#, &["1: id 1", "1: id 2"]);
    check(r#"{"a":"\\\\","id":1}{"b":"\\\"{","id":2}"#, &["1: id 1", "1: id 2"]);
}

#[test]
fn objects_in_a_record_may_begin_a_line() {
    check(
        "{\"a\":\n{\"b\":[\n{\"c\":1}\n,\n{\"d\":1}\n]\n}\n,\"id\":1}\n{\"id\":2}",
        &["1: id 1", "9: id 2"],
    );
}

#[test]
fn element_that_is_not_an_object_costs_itself() {
    let array = "expected an object, found an array: write each record as an object with its \
                 fields' names (pandas: to_json(orient=\"records\"), ClickHouse: FORMAT JSONEachRow)";
    check(
        "[1,{\"id\":1},\n\"}\",null,[9,{\"id\":8}]\n,true,{\"id\":2},-1.5e3]",
        &[
            "1: expected an object, found the number 1",
            "1: id 1",
            "2: expected an object, found a string",
            "2: expected an object, found null",
            &format!("2: {array}"),
            "3: expected an object, found true",
            "3: id 2",
            "3: expected an object, found the number -1500.0",
        ],
    );
    check("7", &["1: expected an object, found the number 7"]);
    let object = "write the object itself (jq: fromjson)";
    check(
        "\"{\\\"id\\\":1}\"\n\"{\"",
        &[
            &format!("1: expected an object, found a string that holds JSON: {object}"),
            "2: expected an object, found a string",
        ],
    );
    let objects = "write the objects themselves (jq: fromjson)";
    check(
        r#"["{\"id\":1}"]"#,
        &[&format!("1: expected an object, found an array of strings that hold JSON: {objects}")],
    );
    check("[[1,\"a\"],[2,\"b\"]]", &[&format!("1: {array}"), &format!("1: {array}")]);
    check(
        "[1,\"a\"]\n[2,\"]\"]\n{\"id\":3}\n[]",
        &[&format!("1: {array}"), &format!("2: {array}"), "3: id 3"],
    );
}

#[test]
fn invalid_record_costs_itself() {
    check(
        "[{\"id\":1},{\"id\":\"2\"},{\"id\":3 3},{\"id\":4}]",
        &[
            "1: id 1",
            "1: field `id`: expected a whole number, found a string: write ids without quotes",
            "1: not valid JSON on line 1: expected `,` or `}`",
            "1: id 4",
        ],
    );
    check(
        "{\n\"id\":1,\n}\n{\"id\":2}",
        &["1: not valid JSON on line 3: trailing comma", "4: id 2"],
    );
}

#[test]
fn invalid_word_costs_itself() {
    for word in ["NaN", "undefined", "Infinity", "None", "}", "'x'", "b\"a,b\"", "\u{0}\u{0}"] {
        let text = format!("[{{\"id\":1}},{word},{{\"id\":2}},{{\"id\":3}}]");
        let shown = outcome(read(text.as_bytes()));
        let lines: Vec<&str> = shown.lines().collect();
        assert_eq!([lines[0], lines[2], lines[3]], ["1: id 1", "1: id 2", "1: id 3"], "{word}");
        assert!(lines[1].starts_with("1: expected a record, found "), "{}", lines[1]);
        assert_eq!(lines.len(), 4, "{word}");
    }
}

#[test]
fn stray_bracket_costs_itself() {
    check(
        "{\"id\":1}}\n{\"id\":2}]{\"id\":3}",
        &[
            "1: id 1",
            "1: expected a record, found `}`",
            "2: id 2",
            "2: found ], which closes nothing that is open",
            "2: id 3",
        ],
    );
    let open = "1: the file ends before the array's closing ]";
    check("[{\"id\":1},[{\"id\":2},{\"id\":3}]", &["1: id 1", "1: id 2", "1: id 3", open]);
}

#[test]
fn file_that_is_cut_off_keeps_its_whole_records() {
    let ends = "the file ends inside this record";
    check("[{\"id\":1},\n{\"id\":2", &["1: id 1", &format!("2: {ends}")]);
    check("{\"id\":1}\n{\n\"id\":2,\n\"ema", &["1: id 1", &format!("2: {ends}")]);
    check("{\"id\":1}\n{\"a\\", &["1: id 1", &format!("2: {ends}")]);
    check("[{\"id\":1}\n", &["1: id 1", &closing(2)]);
    check("[{\"id\":1},", &["1: id 1", &closing(1)]);
    check("[", &[&closing(1)]);
    check("{\"id\":1}\ntru", &["1: id 1", "2: expected a record, found `tru`"]);
}

fn closing(line: u64) -> String {
    format!("{line}: the file ends before the array's closing ]")
}

#[test]
fn damaged_line_costs_itself() {
    let not_closed = "2: this record is not closed before line 3, which begins another";
    for (line, reason) in [
        (r#"{"id":2,"email":"x}"#, "2: a string is not closed at the end of line 2"),
        (r#"{"id":2,"email":"x\"#, "2: a string is not closed at the end of line 2"),
        (r#"{"id":2,"email":x"},"#, "2: a string is not closed at the end of line 2"),
        (r#"{"id":2,"a":[1,2},"#, "2: found } on line 2, which closes nothing that is open"),
        (r#"{"id":2,"a":[{"b":"x}]},"#, "2: a string is not closed at the end of line 2"),
        (r#"{"id":2"#, not_closed),
        (r#"{"id":2,"#, not_closed),
        (r#"{"id":2,"a":{{"#, not_closed),
    ] {
        let (before, after) = ("{\"id\":1},\n", "\n{\"id\":3},\n{\"id\":4}\n");
        check(format!("{before}{line}{after}"), &["1: id 1", reason, "3: id 3", "4: id 4"]);
        check(format!("[{before}{line}{after}]"), &["1: id 1", reason, "3: id 3", "4: id 4"]);
    }
}

#[test]
fn line_that_may_be_inside_a_damaged_record_does_not_become_a_record() {
    // A list or a member is open: what follows may be in it.
    check(
        "{\"id\":1}\n{\"id\":2,\"a\":[\n{\"id\":3},\n{\"id\":4}\n",
        &["1: id 1", "2: the file ends inside this record"],
    );
    check(
        "{\"id\":1}\n{\"id\":2,\"a\":[\n{\"id\":3}\n{\"id\":4}\n{\"id\":5}\n",
        &[
            "1: id 1",
            "2: this record is not closed before line 4, which begins another",
            "4: id 4",
            "5: id 5",
        ],
    );
    check(
        "{\"id\":1,\"manager\":\n{\"id\":2,\"email\":\"b\"}\n,\"x\":[1}\n{\"id\":3,\"email\":\"c\"}",
        &["1: found } on line 3, which closes nothing that is open", "4: id 3"],
    );
}

#[test]
fn nested_list_of_a_record_that_is_cut_off_gives_no_records() {
    let nested = "[{\"id\":1,\"reports\":null}, \n {\"id\":2,\"reports\":[{\"id\":21,\"name\":\"x\"}, \n \
                  {\"id\":22,\"name\":\"y\"}, \n {\"id\":23,\"name\":\"z\"}]}, \n {\"id\":3}]";
    for cut in 27..nested.find("]}, \n").unwrap() + 1 {
        let outcome = outcome(read(&nested.as_bytes()[..cut]));
        assert_eq!(outcome.matches("id ").count(), 1, "{}: {outcome}", &nested[..cut]);
    }
    check(nested, &["1: id 1", "2: id 2", "5: id 3"]);
}

#[test]
fn nested_list_of_a_damaged_record_gives_no_records() {
    for damage in ["\"a\":NaN,", "\"a\":\"x,", "\"a\":[1,", "\"a\":1]", "\"a\":\"b\"c\",", "x"] {
        let text = format!(
            "[{{\"id\":1}}, \n {{\"id\":2,{damage}\"reports\":[{{\"id\":21,\"email\":\"x\"}}, \n \
             {{\"id\":22,\"email\":\"y\"}}, \n {{\"id\":23,\"email\":\"z\"}}]}}, \n {{\"id\":3}}]"
        );
        let found = outcome(read(text.as_bytes()));
        let ids: Vec<_> = found.lines().filter(|line| line.contains(": id ")).collect();
        assert_eq!(ids, ["1: id 1", "5: id 3"], "{found}");
    }
}

#[test]
fn damaged_record_in_a_file_of_one_line_costs_itself() {
    for damaged in [
        r#"{"id":2,"email":"a"b"}"#,
        r#"{"id":2,"email":"a,"country":"x"}"#,
        r#"{"id":2,"a":[1,{"b":2]}"#,
        r#"{"id":2,"a":{"b":2}"#,
        r#"{"id":2,"a":[1,2},"x":[{"id":9,"email":"z"}]}"#,
        r#"{"id":2,"email":"a" "b","x":[{"id":9,"email":"z"},{"id":8}]}"#,
        r#"{"id":2,"email":}"#,
        r#"{"id":2,"email":"\x"}"#,
    ] {
        let text = format!("[{{\"id\":1}},{damaged},{{\"id\":3}},{{\"id\":4}}]");
        let found = outcome(read(text.as_bytes()));
        let ids: Vec<_> = found.lines().filter(|line| line.contains(": id ")).collect();
        assert_eq!(ids, ["1: id 1", "1: id 3", "1: id 4"], "{damaged}: {found}");
    }
}

#[test]
fn members_of_a_record_without_its_opening_bracket_give_no_records() {
    check(
        r#"[{"id":1},"id":2,"m":{"id":9},"a":[{"id":8},{"id":7}]},{"id":3}]"#,
        &[
            "1: id 1",
            "1: expected a record, found `\"id\":2`",
            "1: expected a record, found `\"m\":{\"id\":9}`",
            "1: expected a record, found `\"a\":[{\"id\":8},{\"id\":7}]}`",
            "1: id 3",
        ],
    );
}

#[test]
fn damaged_pretty_record_costs_itself() {
    let records = |second: &str| {
        format!("[\n  {{\n    \"id\": 1\n  }},\n  {second},\n  {{\n    \"id\": 3\n  }}\n]")
    };
    check(
        records("{\n    \"id\": 2,\n    \"email\": \"x\n    {\n  }"),
        &[
            "2: id 1",
            "5: a string is not closed at the end of line 7",
            "8: this object has no fields",
            "10: id 3",
        ],
    );
    check(
        records("{\n    \"id\": 2,\n    \"a\": {\n  }"),
        &["2: id 1", "5: this record is not closed before line 9, which begins another", "9: id 3"],
    );
    check(
        "[ {\n  \"id\" : 1,\n  \"a\" : [ 1\n}, {\n  \"id\" : 2\n} ]",
        &["1: found } on line 4, which closes nothing that is open", "4: id 2"],
    );
}

/// An object of `len` bytes.
fn record_of(len: usize) -> String {
    let shell = r#"{"id":2,"email":""}"#.len();
    format!(r#"{{"id":2,"email":"{}"}}"#, "x".repeat(len - shell))
}

#[test]
fn record_may_be_as_long_as_the_bound_and_not_longer() {
    let too_long = "this record is longer than 1048576 bytes";
    for (len, second) in [
        (RECORD_BYTES_MAX, "1: id 2"),
        (RECORD_BYTES_MAX + 1, &*format!("1: {too_long}")),
        (3 * RECORD_BYTES_MAX, &format!("1: {too_long}")),
    ] {
        let text = format!("[{{\"id\":1}},{},{{\"id\":3}},\n{{\"id\":4}}]", record_of(len));
        let expected = ["1: id 1", second, "1: id 3", "2: id 4"].join("\n");
        assert_eq!(outcome(read(text.as_bytes())), expected, "{len} bytes");
        assert_eq!(outcome(read_in_steps(text.as_bytes(), 1009)), expected, "{len} bytes");
    }
}

#[test]
fn record_inside_a_record_that_is_too_long_does_not_become_one() {
    let inner = "{\"id\":9,\"agent\":\"x\"},\n".repeat(60_000);
    let text = format!("{{\"id\":1,\"tags\":[\n{inner}0],\"x\":1}}\n{{\"id\":2}}\n");
    let too_long = "1: this record is longer than 1048576 bytes\n60003: id 2";
    assert_eq!(outcome(read(text.as_bytes())), too_long);
}

#[test]
fn record_that_is_too_long_and_damaged_costs_itself() {
    let too_long = "1: this record is longer than 1048576 bytes";
    let long = record_of(2 * RECORD_BYTES_MAX);
    let (head, _) = long.split_at(long.len() - 1);
    for rest in ["]", "\"", ""] {
        let text = format!("{head}{rest}\n{{\"id\":3}}");
        assert_eq!(outcome(read(text.as_bytes())), format!("{too_long}\n2: id 3"), "{rest}");
    }
    assert_eq!(outcome(read(head.as_bytes())), too_long);
}

#[test]
fn word_that_is_too_long_costs_its_line() {
    let text = format!("{{\"id\":1}}\n{}\n{{\"id\":2}}", "x".repeat(2 * RECORD_BYTES_MAX));
    let found = format!("1: id 1\n2: expected a record, found `{}…`\n3: id 2", "x".repeat(24));
    assert_eq!(outcome(read(text.as_bytes())), found);
}

#[test]
fn deeply_nested_value_costs_itself() {
    let bomb = "[".repeat(400_000) + &"]".repeat(400_000);
    let text = format!("[{{\"id\":1}},{{\"id\":2,\"a\":{bomb}}},{{\"id\":3}}]");
    assert_eq!(outcome(read(text.as_bytes())), "1: id 1\n1: id 2\n1: id 3");
}

#[test]
fn error_of_the_stream_ends_it() {
    struct Failing;
    impl Read for Failing {
        fn read(&mut self, _: &mut [u8]) -> io::Result<usize> {
            Err(io::Error::other("the disk is gone"))
        }
    }
    for (text, found) in [
        ("{\"id\":1}\n", "1: id 1\n2: cannot read on: the disk is gone"),
        (
            "{\"id\":1}\n{\"id\":2",
            "1: id 1\n2: the file ends inside this record\n2: cannot read on: the disk is gone",
        ),
        ("", "1: cannot read on: the disk is gone"),
    ] {
        assert_eq!(outcome(reader_of(text.as_bytes().chain(Failing))), found);
    }
}
