//! What is said, what programs notify of, and addresses that are opened.

use vroom_protocol::graphical::{
    Chat, NoticeAction, NoticeAnswer, Notification, NotificationKind, ServerMessage,
};

use super::*;

fn said(seat: &Seat) -> Vec<Chat> {
    let messages = seat.mailbox().take().messages;
    let chats = messages.into_iter().filter_map(|message| match message {
        ServerMessage::Chat(chat) => Some(chat),
        _ => None,
    });
    chats.collect()
}

#[test]
fn what_is_said_is_marked_with_who_says_it() {
    let (hub, _) = hub();
    let one = join(&hub, "a", Role::Viewer);
    let two = join(&hub, "b", Role::Viewer);
    one.chat("hello".into()).unwrap();
    let [chat] = &said(&two)[..] else {
        panic!("one line");
    };
    assert_eq!(chat.from, Some(one.id().to_string()));
    assert_eq!(chat.name.as_deref(), Some("a"));
    assert_eq!((chat.id, chat.earlier), (Some(1), false));
    assert_eq!(said(&one).len(), 1, "the speaker sees it, too");
}

#[test]
fn who_comes_later_is_told_what_was_said_before_and_nothing_twice() {
    let (hub, _) = hub();
    let one = join(&hub, "a", Role::Viewer);
    one.chat("before".into()).unwrap();
    let two = join(&hub, "b", Role::Viewer);
    one.chat("after".into()).unwrap();
    let earlier = two.earlier_chat();
    assert_eq!(earlier.len(), 1);
    assert_eq!(
        (earlier[0].text.as_str(), earlier[0].earlier),
        ("before", true)
    );
    assert_eq!(said(&two)[0].text, "after");
    assert_eq!(one.earlier_chat(), []);
}

#[test]
fn nobody_talks_without_end() {
    let (hub, _) = hub();
    let one = join(&hub, "a", Role::Viewer);
    let two = join(&hub, "b", Role::Viewer);
    for _ in 0..LINES_AT_ONCE {
        one.chat("x".into()).unwrap();
    }
    assert_eq!(one.chat("x".into()), Err(Denied::TooOften));
    assert_eq!(two.chat("x".into()), Ok(()), "others still may");
}

fn posted(title: &str) -> Posted {
    Posted {
        replaces: 0,
        app: "app".into(),
        title: title.into(),
        body: "body".into(),
        actions: vec![NoticeAction {
            key: "ok".into(),
            label: "OK".into(),
        }],
        urgent: false,
        stays: false,
        expires: None,
    }
}

fn answer(id: u32, action: Option<&str>) -> NoticeAnswer {
    let action = action.map(str::to_owned);
    NoticeAnswer { id, action }
}

fn told(news: &mut tokio::sync::mpsc::Receiver<NoticeNews>) -> Vec<String> {
    let mut told = Vec::new();
    while let Ok(news) = news.try_recv() {
        match news {
            NoticeNews::Changed => {}
            NoticeNews::Chosen { id, action } => told.push(format!("{id} {action}")),
            NoticeNews::Over { id, why } => told.push(format!("{id} {why:?}")),
        }
    }
    told
}

#[test]
fn everybody_is_told_of_a_notice_and_only_the_driver_answers() {
    let (hub, _) = hub();
    let (sender, mut news) = tokio::sync::mpsc::channel(16);
    hub.set_notice_news(sender);
    let driver = join(&hub, "a", Role::Operator);
    let watcher = join(&hub, "b", Role::Viewer);
    driver.set_mode(Mode::Interact, false).unwrap();
    let id = hub.post_notice(posted("Hi"));
    for seat in [&driver, &watcher] {
        assert!(seat.mailbox().take().notices.contains(&id));
        let Notification {
            text, notice, kind, ..
        } = seat.notice(id);
        let notice = notice.unwrap();
        assert_eq!((text.as_str(), notice.title.as_str()), ("Hi\nbody", "Hi"));
        assert_eq!((kind, notice.earlier), (NotificationKind::Info, false));
    }
    let refused = watcher.answer_notice(answer(id, Some("ok")));
    assert_eq!(refused, Err(Denied::NotAllowed));
    let unknown = driver.answer_notice(answer(id, Some("not offered")));
    assert_eq!(unknown, Err(Denied::NoSuchTarget));
    assert_eq!(told(&mut news), [""; 0]);
    driver.answer_notice(answer(id, Some("ok"))).unwrap();
    assert_eq!(told(&mut news), ["1 ok", "1 PutAway"]);
    assert!(watcher.mailbox().take().notices.contains(&id));
    assert!(watcher.notice(id).notice.unwrap().closed);
    driver.answer_notice(answer(id, Some("ok"))).unwrap();
    assert_eq!(told(&mut news), [""; 0], "it is answered once");
}

#[test]
fn a_notice_that_stays_may_be_answered_again_and_put_away() {
    let (hub, _) = hub();
    let (sender, mut news) = tokio::sync::mpsc::channel(16);
    hub.set_notice_news(sender);
    let driver = join(&hub, "a", Role::Operator);
    driver.set_mode(Mode::Interact, false).unwrap();
    let stays = Posted {
        stays: true,
        ..posted("Playing")
    };
    let id = hub.post_notice(stays);
    for _ in 0..2 {
        driver.answer_notice(answer(id, Some("ok"))).unwrap();
    }
    driver.answer_notice(answer(id, None)).unwrap();
    assert_eq!(told(&mut news), ["1 ok", "1 ok", "1 PutAway"]);
}

#[test]
fn a_notice_replaces_another_and_those_without_end_push_out_the_oldest() {
    let (hub, _) = hub();
    let (sender, mut news) = tokio::sync::mpsc::channel(1000);
    hub.set_notice_news(sender);
    let seat = join(&hub, "a", Role::Viewer);
    let first = hub.post_notice(posted("one"));
    let again = Posted {
        replaces: first,
        ..posted("two")
    };
    assert_eq!(hub.post_notice(again), first);
    assert_eq!(seat.notice(first).notice.unwrap().title, "two");
    for _ in 0..500 {
        hub.post_notice(posted("flood"));
    }
    assert_eq!(seat.notices().len(), 64);
    assert!(seat.mailbox().take().notices.len() <= 256);
    assert_eq!(told(&mut news)[0], "1 Expired", "the oldest goes first");
    let late = join(&hub, "b", Role::Viewer);
    let newest = late.notices().last().copied().unwrap();
    assert!(late.notice(newest).notice.unwrap().earlier);
}

#[test]
fn a_notice_is_over_when_its_time_is_up_or_its_program_says_so() {
    let (hub, _) = hub();
    let (sender, mut news) = tokio::sync::mpsc::channel(16);
    hub.set_notice_news(sender);
    let soon = Instant::now() + Duration::from_secs(1);
    let brief = hub.post_notice(Posted {
        expires: Some(soon),
        ..posted("brief")
    });
    let other = hub.post_notice(posted("other"));
    assert_eq!(hub.notice_due(), Some(soon));
    hub.expire_notices(Instant::now());
    assert_eq!(told(&mut news), [""; 0]);
    hub.expire_notices(soon);
    assert_eq!(told(&mut news), [format!("{brief} Expired")]);
    assert_eq!(hub.notice_due(), None);
    assert!(hub.close_notice(other, NoticeEnd::Withdrawn));
    assert!(!hub.close_notice(other, NoticeEnd::Withdrawn));
    assert_eq!(told(&mut news), [format!("{other} Withdrawn")]);
}

#[test]
fn only_the_driver_opens_addresses_and_is_told_when_that_fails() {
    let (hub, desktop) = hub();
    let driver = join(&hub, "a", Role::Operator);
    let watcher = join(&hub, "b", Role::Operator);
    driver.set_mode(Mode::Interact, false).unwrap();
    let command = || vec!["open".to_owned(), "https://example.org".to_owned()];
    assert_eq!(watcher.browse(command()), Err(Denied::NotAllowed));
    let number = driver.browse(command()).unwrap();
    let launched = std::mem::take(&mut *desktop.launched.lock().unwrap());
    assert_eq!(launched, [(number, command())]);
    assert_eq!(watcher.state().state, "browsing");
    hub.on_desktop(DesktopEvent::ProgramFailed {
        number,
        reason: "open ended with status 3".into(),
    });
    assert_eq!(watcher.state().state, "idle");
    let told = driver.mailbox().take().messages.pop_front();
    let Some(ServerMessage::Notification(told)) = told else {
        panic!("nothing was told");
    };
    assert!(
        told.text.ends_with("open ended with status 3"),
        "{}",
        told.text
    );
    assert!(watcher.mailbox().take().messages.is_empty());
}

#[test]
fn an_address_is_loading_until_something_is_seen_of_it() {
    let (hub, _) = hub();
    let driver = join(&hub, "a", Role::Operator);
    driver.set_mode(Mode::Interact, false).unwrap();
    let first = driver.browse(vec!["open".into()]).unwrap();
    assert_eq!(driver.state().loading, Some(true));
    hub.on_desktop(DesktopEvent::Title(Some("A page".into())));
    assert_eq!(
        (driver.state().loading, driver.state().state.as_str()),
        (None, "idle")
    );
    let second = driver.browse(vec!["open".into()]).unwrap();
    hub.browsed(first);
    assert_eq!(driver.state().loading, Some(true), "the other one is meant");
    hub.browsed(second);
    assert_eq!(driver.state().loading, None);
    let more = (0..ADDRESSES_AT_ONCE).map(|_| driver.browse(vec!["open".into()]));
    assert!(more.into_iter().any(|each| each == Err(Denied::TooOften)));
}
