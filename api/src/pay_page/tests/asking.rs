use super::house::House;

const QUESTION: &str = "Why is the delivery on it twice?";

#[tokio::test]
async fn a_question_holds_the_invoice_pauses_its_calls_and_is_thanked_for() {
    let house = House::new().await;
    let page =
        house.customer().ask_question(&house.link, &format!("  {QUESTION}\r\nThanks\u{0}\n")).await.unwrap();
    assert_eq!(page.status, 201);
    assert!(page.body.contains("Thank you, we have your question"));
    assert_eq!(house.word("SELECT words AS word FROM holds").await, format!("{QUESTION}\nThanks"));
    assert_eq!(house.count("invoices WHERE on_hold").await, 1);
    assert_eq!(
        house.word("SELECT status || ' ' || pause_reason AS word FROM enrolments").await,
        "paused question"
    );
    assert_eq!(house.count("jobs WHERE kind = 'pause_calls'").await, 1);
}

#[tokio::test]
async fn the_same_question_twice_is_one_question() {
    let house = House::new().await;
    let mut customer = house.customer();
    for _ in 0..3 {
        assert_eq!(customer.ask_question(&house.link, QUESTION).await.unwrap().status, 201);
    }
    assert_eq!((house.count("holds").await, house.count("jobs WHERE kind = 'pause_calls'").await), (1, 1));
    assert_eq!(house.count("timeline WHERE kind = 'hold_opened'").await, 1);
}

#[tokio::test]
async fn a_question_asked_again_after_its_answer_stops_the_calls_again() {
    let house = House::new().await;
    let mut customer = house.customer();
    for round in 1..=7 {
        for _ in 0..2 {
            assert_eq!(customer.ask_question(&house.link, QUESTION).await.unwrap().status, 201);
        }
        assert_eq!(house.count("invoices WHERE on_hold").await, 1, "round {round}");
        assert_eq!(house.count("holds").await, round, "what was answered does not count against the link");
        house
            .change("UPDATE holds SET resolved_at_ms = 1, resolution = 'resolved', resolved_by = 'test'")
            .await;
        house.change("UPDATE invoices SET on_hold = FALSE").await;
        house.api.ledger.clock().advance_ms(1);
    }
}

#[tokio::test]
async fn a_question_without_words_stores_nothing_and_asks_again() {
    let house = House::new().await;
    let before = house.rows().await;
    let mut customer = house.customer();
    let long = "x".repeat(2_001);
    for words in ["", "   ", "\n\t\u{0}", long.as_str()] {
        let page = customer.ask_question(&house.link, words).await.unwrap();
        assert_eq!(page.status, 422);
        assert!(page.form("/p/question").is_ok(), "the form is there again");
    }
    assert_eq!(house.rows().await, before);
    let longest = "é".repeat(2_000);
    assert_eq!(customer.ask_question(&house.link, &longest).await.unwrap().status, 201);
}

#[tokio::test]
async fn a_link_may_ask_five_things_and_repeat_each() {
    let house = House::new().await;
    let mut customer = house.customer();
    for round in 1..=5 {
        assert_eq!(
            customer.ask_question(&house.link, &format!("Question {round}")).await.unwrap().status,
            201
        );
    }
    let sixth = customer.ask_question(&house.link, "Question 6").await.unwrap();
    assert_eq!(sixth.status, 429);
    assert_eq!(customer.ask_question(&house.link, "Question 3").await.unwrap().status, 201);
    assert_eq!(house.count("holds").await, 5);
}

#[tokio::test]
async fn a_script_gets_json_and_a_question_on_an_ended_link_still_counts() {
    let house = House::new().await;
    house.change("UPDATE links SET status = 'superseded', ended_at_ms = 1").await;
    let client =
        gateways::http::client(std::time::Duration::from_secs(5), gateways::http::Reach::Anywhere).unwrap();
    let post = |body: String| {
        let request = client.post(format!("{}/p/question", house.url));
        let request = request.header("accept", "application/json").header("sec-fetch-site", "same-origin");
        request.header("content-type", "application/x-www-form-urlencoded").body(body).send()
    };
    let answer = post(format!("token={}&message=Hello", house.token)).await.unwrap();
    assert_eq!(answer.status(), 201);
    assert_eq!(answer.text().await.unwrap(), "{\"state\":\"received\"}");
    assert_eq!(house.count("holds").await, 1);
    let empty = post(format!("token={}&message=", house.token)).await.unwrap();
    assert_eq!(
        (empty.status().as_u16(), empty.headers()["content-type"].to_str().unwrap()),
        (422, "application/problem+json")
    );
    assert_eq!(post("token=nobody&message=Hello".to_owned()).await.unwrap().status(), 404);
}
