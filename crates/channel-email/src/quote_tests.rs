use super::*;

fn reply(text: &str) -> String {
    split_text(text).reply
}

#[test]
fn a_body_is_covered_by_its_spans_in_order() {
    let body = "Hello\r\n\r\nOn 5 May 2020, at 10:00, Ann wrote:\r\n> Hi\r\n-- \r\nJo";
    let split = split_text(body);
    let together: String = split.spans.iter().map(|span| &body[span.start..span.end]).collect();
    assert_eq!(together, body);
    let kinds: Vec<SpanKind> = split.spans.iter().map(|span| span.kind).collect();
    assert_eq!(kinds, [SpanKind::New, SpanKind::Quote, SpanKind::Signature]);
    assert_eq!(split.reply, "Hello");
    assert_eq!(split.folded[1].text, "-- \r\nJo");
}

#[test]
fn nothing_is_folded_when_nothing_would_be_left() {
    for body in [
        "> only a quote\n> of two lines",
        "-- \nJo Doe",
        "Sent from my iPhone",
        "On 5 May 2020, at 10:00, Ann <a@b.test> wrote:\n> Hi",
        "",
        "\n \n",
    ] {
        assert_eq!(reply(body), body.trim(), "{body:?}");
    }
    // A signature alone is shown, the history under it stays folded.
    let split = split_text("Sent from my iPhone\n\nOn 5 May 2020, at 10:00, Ann <a@b.test> wrote:\n> Hi");
    assert_eq!((split.reply.as_str(), split.folded.len()), ("Sent from my iPhone", 1));
}

// Each introduction stands alone, over marked and over unmarked history, after a line of the author. The names and dates
// are ours; the forms are those of the programs.
const INTRODUCTIONS: &[&str] = &[
    // English
    "On 11-Apr-2011, at 6:54 PM, Ann Lee <ann@shop.test> wrote:",
    "On Wed, Nov 2, 2016 at 12:34 PM, Ann Lee <ann@shop.test>\nwrote:",
    "On Nov 30, 2011, at 12:47 PM, Somebody <\n416ffd3258d4d2fa4c85cfa4c44e1721d66e3e8f4@shop.test>\nwrote:",
    "On Tue, Apr 11, 2017 at 10:07 PM Ann Lee\n\n<\nmailto:Ann Lee <ann@shop.test>\n> wrote:",
    "On 04/19/2011 07:10 AM, Ann Lee wrote:",
    "------On 12/29/1987 17:32 PM, Ann Lee wrote-----",
    "--- On Wed, 4/4/12, ann@shop.test <ann@shop.test> wrote:",
    "---- John Smith wrote ----",
    "---- On Mon, 06 Feb 2017 12:00:00 +0100 Ann Lee <ann@shop.test> wrote ----",
    "Sent from Samsung MobileAnn <ann@shop.test> wrote:",
    "Ann Lee <ann@shop.test> wrote on 03/02/2015 10:11:12 AM:",
    "At 10:00 AM 5/5/2015, Ann Lee wrote:",
    "Quoting Ann Lee <ann@shop.test> on 2015-05-05 10:00, she wrote:",
    "On Thursday, October 25, 2012 at 3:03 PM, life is short. on Bob wrote:",
    // German
    "Am 02.11.2016 um 12:34 schrieb Ann Lee:",
    "Am Mi., 2. Nov. 2016 um 12:34 Uhr schrieb Ann Lee <ann@shop.test>:",
    "Ann Lee <ann@shop.test> schrieb am Mi., 2. Nov. 2016, 12:34:",
    "Am 3. April 2012 14:20 schrieb Ann Lee <\nann@shop.test>:",
    "-----Ursprüngliche Nachricht-----",
    "Von: Ann Lee <ann@shop.test>\nGesendet: Dienstag, 25. November 2014 14:59\nAn: Jo Doe\nBetreff: AW: Bestellung",
    // French
    "Le 23 janv. 2015 à 22:03, Ann Lee <ann@shop.test<mailto:ann@shop.test>> a écrit :",
    "Le mer. 2 nov. 2016 à 12:34, Ann Lee <ann@shop.test> a\nécrit :",
    "Le 2 novembre 2016 12:34, Ann Lee a écrit:",
    "De : Ann Lee [mailto:ann@shop.test]\nEnvoyé : vendredi 23 janvier 2015 16:39\nÀ : Jo DOE\nObjet : Commande",
    "-----Message d'origine-----",
    // Spanish
    "El mié., 2 nov. 2016 a las 12:34, Ann Lee (<ann@shop.test>) escribió:",
    "El mié., 2 nov.\n2016 a las 12:34, Ann Lee (ann@shop.test) escribió:",
    "De: Ann Lee\nEnviado el: miércoles, 2 de noviembre de 2016 12:34\nPara: Jo Doe\nAsunto: Pedido",
    // Portuguese
    "Em qua, 2 de nov de 2016 12:34, Ann Lee <ann@shop.test> escreveu:",
    "De: Ann Lee\nEnviada em: quarta-feira, 2 de novembro de 2016 12:34\nPara: Jo Doe\nAssunto: Pedido",
    // Italian
    "Il giorno mer 2 nov 2016 alle ore 12:34 Ann Lee <ann@shop.test> ha\nscritto:",
    "Da: Ann Lee\nInviato: mercoledì 2 novembre 2016 12:34\nA: Jo Doe\nOggetto: Ordine",
    // Dutch
    "Op 17-feb.-2015, om 13:18 heeft Ann Lee <ann@shop.test> het volgende geschreven:",
    "Op wo 2 nov. 2016 om 12:34 schreef Ann Lee <ann@shop.test>:",
    "Op 13-02-2014 3:18 schreef Ann Lee:",
    "Van: Ann Lee\nVerzonden: woensdag 2 november 2016 12:34\nAan: Jo Doe\nOnderwerp: Bestelling",
    // Danish, Norwegian, Swedish, Finnish
    "Den ons. 2. nov. 2016 kl. 12.34 skrev Ann Lee <ann@shop.test>:",
    "Den 2. nov. 2016 12:34 skrev \"Ann Lee\" <ann@shop.test>:",
    "På 2 november 2016 på 12:34:18, Ann Lee (ann@shop.test) skrev:",
    "Fra: Ann Lee\nSendt: 19. marts 2011 12:10\nTil: Jo Doe\nEmne: Ordre",
    "Den 14 september, 2015 02:23:18, Ann Lee (ann@shop.test) skrev:",
    "Från: Ann Lee [mailto:ann@shop.test]\nSkickat: den 26 augusti 2015 14:45\nTill: Jo Doe\nÄmne: SV: Order",
    "Ann Lee <ann@shop.test> kirjoitti ke 2. marraskuuta 2016 klo 12.34:",
    "Lähettäjä: Ann Lee\nLähetetty: 2. marraskuuta 2016 12:34\nVastaanottaja: Jo Doe\nAihe: Tilaus",
    // Polish, Czech, Slovak, Slovenian, Croatian
    "W dniu 28 stycznia 2015 01:53 użytkownik Ann Lee <ann@shop.test>\nnapisał:",
    "śr., 2 lis 2016 o 12:34 Ann Lee <ann@shop.test> napisał(a):",
    "Od: Ann Lee\nWysłano: 2 listopada 2016 12:34\nDo: Jo Doe\nTemat: Zamówienie",
    "st 2. 11. 2016 v 12:34 odesílatel Ann Lee <ann@shop.test> napsal:",
    "st 2. 11. 2016 o 12:34 Ann Lee <ann@shop.test> napísal(a):",
    "V V sre., 2. nov. 2016 ob 12:34 je oseba Ann Lee <ann@shop.test> napisala:",
    "sri, 2. stu 2016. u 12:34 Ann Lee <ann@shop.test> napisao je:",
    // Russian, Ukrainian
    "02.04.2012 14:20 пользователь \"ann@shop.test\" <\nann@shop.test> написал:",
    "ср, 2 нояб. 2016 г. в 12:34, Ann Lee <ann@shop.test>:",
    "26.06.2014, 14:41, \"Ann Lee\" <ann@shop.test>:",
    "Thu, 26 Jun 2014 14:00:51 +0400 от Ann Lee <ann@shop.test>:",
    "В Пнд, 02/04/2012 в 17:44 +0400, Ann Lee пишет:",
    "От: Ann Lee\nОтправлено: 2 ноября 2016 г. 12:34\nКому: Jo Doe\nТема: Заказ",
    "ср, 2 лист. 2016 р. о 12:34 Ann Lee <ann@shop.test> пише:",
    // Hungarian, Romanian, Greek, Turkish
    "Ann Lee <ann@shop.test> ezt írta (időpont: 2016. nov. 2., Sze, 12:34):",
    "Pe mie., 2 nov. 2016 la 12:34, Ann Lee <ann@shop.test> a scris:",
    "Στις Τετ, 2 Νοε 2016 στις 12:34 μ.μ., ο χρήστης Ann Lee <ann@shop.test> έγραψε:",
    "Ann Lee <ann@shop.test>, 2 Kas 2016 Çar, 12:34 tarihinde şunu yazdı:",
    "Kimden: Ann Lee\nGönderildi: 2 Kasım 2016 Çarşamba 12:34\nKime: Jo Doe\nKonu: Sipariş",
    // Vietnamese, Indonesian
    "Vào 14:24 8 tháng 6, 2017, Ann Lee <ann@shop.test> đã viết:",
    "Pada tanggal Rab, 2 Nov 2016 pukul 12.34 Ann Lee <ann@shop.test> menulis:",
    // Japanese, Chinese, Korean
    "2016年11月2日(水) 12:34 Ann Lee <ann@shop.test>:",
    "2016/11/02 12:34、Ann Lee <ann@shop.test>のメール：",
    "差出人: Ann Lee <ann@shop.test>\n送信日時: 2016年11月2日 12:34\n宛先: Jo Doe\n件名: ご注文",
    "Ann Lee <ann@shop.test> 于2016年11月2日周三 下午12:34写道：",
    "在 2016年11月2日，下午12:34，Ann Lee <ann@shop.test> 写道：",
    "发件人: Ann Lee <ann@shop.test>\n发送时间: 2016年11月2日 12:34\n收件人: Jo Doe\n主题: 订单",
    "2016년 11월 2일 (수) 오후 12:34, Ann Lee <ann@shop.test>님이 작성:",
    "보낸 사람: Ann Lee\n보낸 날짜: 2016년 11월 2일 12:34\n받는 사람: Jo Doe\n제목: 주문",
    // Arabic, Hebrew
    "في الأربعاء، 2 نوفمبر 2016 في 12:34 م تمت كتابة ما يلي بواسطة Ann Lee <ann@shop.test>:",
    "\u{200f}בתאריך יום ד׳, 2 בנוב׳ 2016 ב-12:34 מאת \u{202a}Ann Lee\u{202c}\u{200f} <\u{202a}ann@shop.test\u{202c}\u{200f}>:\u{200f}",
    // Other programs
    "In message <abc@x.test>, Ann Lee <ann@shop.test> writes:",
    "Posted by Ann Lee on 01/10/2016",
    "Ann Lee via Shop Forum wrote:",
    "sobota, 4 stycznia 2014 Ann Lee <ann@shop.test>",
    "2013/10/2 Ann Lee [via Forum] <noreply@shop.test>",
    "------------------ 原始邮件 ------------------\n发件人: \"Ann\"<ann@shop.test>;\n发送时间: 2020年5月5日(星期二) 上午10:00\n收件人: \"Jo\"<jo@cust.test>;\n主题: 订单",
    // Any
    "2011/4/7 Ann Lёe <ann@shop.test>",
    "2016-03-03 17:21 GMT+01:00 Ann Lee",
    "-----Original Message-----",
    "-------- Original message --------\nFrom: Ann Lee\nDate: 2 November 2016",
    "________________________________\nFrom: Ann Lee <ann@shop.test>\nSent: Wednesday, 2 November 2016 12:34 p.m.\nTo: Jo Doe\nSubject: Order",
    "  *From:* ann@shop.test [mailto:\n  ann@shop.test]\n  *Sent:* Wednesday, June 27, 2012 3:05 PM\n  *To:* jo@cust.test\n  *Subject:* Order",
    "Date: Fri=2C 28 Sep 2012 10:55:48 +0000\nFrom: ann@shop.test\nTo: jo@cust.test\nSubject: [Order #8] Test",
    "Date: Wed, 16 May 2012 00:15:02 -0600\nTo: jo@cust.test",
    "From: ann@shop.test\nDate: Wed, 16 May 2012 00:15:02 -0600",
    "---------- Forwarded message ---------\nFrom: Ann Lee <ann@shop.test>\nDate: Tue, Jan 1, 2019 at 12:00 PM\nSubject: Order\nTo: <jo@cust.test>",
    "Begin forwarded message:\n\nFrom: Ann Lee <ann@shop.test>\nSubject: Order\nDate: 2 November 2016 at 12:34\nTo: Jo Doe",
    "##- Please type your reply above this line -##",
];

#[test]
fn history_is_told_from_what_is_new_in_many_languages() {
    let mut wrong = vec![];
    for introduction in INTRODUCTIONS {
        let marked = format!("Thank you!\n\n{introduction}\n\n> Your order is on its way.\n>\n> Ann\n");
        let unmarked = format!("Thank you!\n\n{introduction}\n\nYour order is on its way.\n\nAnn\n");
        let close = format!("Thank you!\n{introduction}\n> Your order is on its way.\n> Ann\n");
        let below = format!("{introduction}\n\n> Your order is on its way.\n>\n> Ann\n\nThank you!");
        for (shape, body) in [("marked", marked), ("unmarked", unmarked), ("close", close), ("below", below)] {
            let got = reply(&body);
            if got != "Thank you!" {
                wrong.push(format!("{shape}: {introduction:?} gave {got:?}"));
            }
        }
    }
    println!("{} of {} bodies wrong", wrong.len(), INTRODUCTIONS.len() * 4);
    assert!(wrong.is_empty(), "{}", wrong.join("\n"));
}

#[test]
fn what_only_looks_like_history_stays() {
    for body in [
        "One: here is what I have.\n\nOn the other hand I cannot say.",
        "On this day\n\nI wrote something\n\nwhich was interesting.",
        "On your computer you can run:\n\n    ping 127.0.0.1\n\nand tell me what it says.",
        "Here it is:\n>>> >>>  http://www.shop.test <<<\nClick the link above.",
        "Please enter your feedback below. Thank you.\n\n------------------- Enter Feedback Below -------------------\n\nThe service was good. I would come again, and so would my friends and my whole family.\nThank you for asking.",
        "I asked at 12:30 on 5 May 2020 and he wrote to me that the parcel is lost.\nWhat can I do?",
        "From: the bottom of my heart\nthank you all",
        "Hello,\n\nTo: be or not\n\nSubject: to change\n\nI wait.",
        "A new message from your site:\n\nFrom: Jo Doe <jo@cust.test>\nSubject: Where is my order\nMessage: It should be here.",
        "I would like to book a room:\n\nFrom: 5 May 2020\nTo: 9 May 2020\nGuests: 2",
        "Our trip:\n\nFrom: Berlin\nTo: Paris\nDate: 5 May 2020\n\nWe are two.",
        "A new message from your site:\n\nFrom: Jo Doe <jo@cust.test>\nDate: 5 May 2020\nSubject: My order\nMessage: It should be here.",
        "Here is my address:\n\nJo Doe\n12 Main Street\n+49 30 1234567\njo@cust.test",
        "Sent from the wrong address, sorry.\nCan you send it again?",
        "Sent by mistake, please ignore it.",
        "Ich habe es gestern vom Handy gesendet",
        "My list:\n- Milk\n- Eggs",
        "Title\n=====\n\nA text under it that is long enough to be a text and not a signature of anybody.",
        "The log says this:\n\n> error 42\n> error 43",
        "```\n-- \n> not a quote\n```\n\nThat is my code.",
        "Le colis a été livré à 12:30 le 5 mai 2020.",
        "Am 5.5.2020 um 10:00 Uhr habe ich bestellt.",
        "> which colour?\n\nBlue.\n\n> which size?\n\nLarge.",
        "I wrote on 5 May 2020 at 10:00 to ann@shop.test:\nno answer so far.",
        "Hello, on 5 May 2020 your colleague wrote:\n\"It is on its way.\"\nBut it is not.",
        "Invitation for an interview:\n\nDate: Wednesday 3, October 2011\nTime: 7 : 00am\nAddress: 130 Fox St\n\nPlease bring your papers.",
        "Please call me: 12:30, 5 May 2020, or write to jo@cust.test",
    ] {
        assert_eq!(reply(body), body, "{:?}", split_text(body).folded);
    }
}

#[test]
fn answers_between_quotes_stay_with_what_they_answer() {
    let body =
        "On 5 May 2020, at 10:00, Ann <ann@shop.test> wrote:\n\n> Which colour?\n\nBlue.\n\n> Which size?\n\nLarge.\n\n> Ann\n";
    assert_eq!(reply(body), "> Which colour?\n\nBlue.\n\n> Which size?\n\nLarge.");
}

#[test]
fn what_stands_around_a_quote_is_kept_on_both_sides() {
    let body = "Test reply\n\nOn 04/19/2011 07:10 AM, Ann Lee wrote:\n\n>\n> Test\n\nRegards, Jo";
    assert_eq!(reply(body), "Test reply\n\nRegards, Jo");
    let nested = "Test reply\nOn 04/19/2011 07:10 AM, Ann Lee wrote:\n\n>Test test\n>On 04/19/2011 07:10 AM, Bob wrote:\n>\n>>\n>> Test.\n>>\n>> Jo\n\nRegards, Jo";
    assert_eq!(reply(nested), "Test reply\n\nRegards, Jo");
    let broken = "Blah\n\nOn Thursday, October 25, 2012 at 3:03 PM, Ann wrote:\n\n>\n> Post a response by replying to this email\n>\n (http://shop.test/c/YzOTYzMmE) >\n> life is short. (http://shop.test/c/YzMmE)\n>\n";
    assert_eq!(reply(broken), "Blah");
    // Text that is only said to be somebody's is taken for a quote when it looks like one.
    assert_eq!(reply("Yes\n\nOn 5 May 2016, Ann said:\n> Hi"), "Yes");
    // A telephone puts the history into the same line.
    assert_eq!(
        reply(
            "Hi\n\nSent from Yahoo Mail on Android\n\n  On Mon, May 5, 2020 at 10:00 AM, Ann<a@shop.test> wrote:   Hello\nJo\n"
        ),
        "Hi"
    );
    // What the author chose to quote stays when the whole is quoted once more.
    assert_eq!(reply("Yes\n> blue\n\nOn 11-Apr-2011, at 6:54 PM, Ann <a@shop.test> wrote:\n\n> Is it\n> blue?"), "Yes\n> blue");
    let cut = "Blah\n\nOn Monday, 24 September, 2012 at 3:46 PM, bob wrote:\n\n> test from bob\n>\n> View it (http://shop.test/action\n_nonce=3dd518)\n>\n";
    assert_eq!(reply(cut), "Blah");
}

#[test]
fn signatures_are_folded_and_told_from_text() {
    for (body, new) in [
        ("Hello\n\n-- \nJo Doe\nShop", "Hello"),
        ("Hello\n--\nJo", "Hello"),
        ("Hello\n\n—\nJo", "Hello"),
        (
            "Hello\n\n_______________________________________________\nusers mailing list\nusers@list.test\nhttp://list.test/users",
            "Hello",
        ),
        ("Hello\n\n-Jo Doe", "Hello"),
        ("Hello\n\nJo Doe\njo@cust.test\n(555) 346-9947\nwww.cust.test", "Hello"),
        ("Hello\n\nVon meinem iPhone gesendet", "Hello"),
        ("Hello\n\nEnvoyé de mon iPhone", "Hello"),
        ("Hello\n\nEnviado desde mi iPhone", "Hello"),
        ("Hello\n\nInviato da iPhone", "Hello"),
        ("Hello\n\nVerstuurd vanaf mijn iPhone", "Hello"),
        ("Hello\n\nSkickat från min iPhone", "Hello"),
        ("Hello\n\nWysłane z iPhone'a", "Hello"),
        ("Hello\n\nОтправлено с iPhone", "Hello"),
        ("Hello\n\niPhoneから送信", "Hello"),
        ("Hello\n\n发自我的iPhone", "Hello"),
        ("Hello\n\n나의 iPhone에서 보냄", "Hello"),
        ("Hello\n\niPhone'umdan gönderildi", "Hello"),
        ("Hello\n\nGet Outlook for iOS<https://aka.ms/o0ukef>", "Hello"),
        ("Hello\n\nSent from Mail for Windows", "Hello"),
        ("Hello\n\nSent from my phone. Please excuse brevity.", "Hello"),
        ("Hello\n\nSent from my Galaxy\n\nOn 5 May 2020, at 10:00, Ann <ann@shop.test> wrote:\n> Hi", "Hello"),
    ] {
        assert_eq!(reply(body), new, "{body:?}");
    }
    // A greeting at the end is text.
    assert_eq!(reply("Hello\n\nThanks,\nJo"), "Hello\n\nThanks,\nJo");
}

// Bodies of about 1 MB that go to where time is lost: each line a candidate, everything open, nothing closed.
#[test]
fn work_grows_with_the_length_of_the_body_only() {
    let shapes = [
        "On\n",
        "> ",
        "a@b.test 12:30 wrote:\n",
        "wrote ",
        "From: a\n",
        "Date: a\n\n",
        "---\n",
        "---\nis it?\n",
        "> a\nb\n",
        "--\n\nx\n",
        "<\n",
        ">:\n",
        "\n",
        " ",
        "On 5 May 2020 at 10:00 Ann wrote:\n> x\n y\n",
        "```\n",
        "A> x\nB> y\n",
        "Sent from my iPhone\n",
        "2016-03-03 17:21 GMT Ann\n",
        "| x\n",
        "-----Original Message-----\n",
        "(((((((",
        "5:5:5:5:",
        "@@@@@@",
        "Jo Doe\njo@cust.test\nwww.cust.test\n\n",
        "On 5 May 2020 Ann\n",
    ];
    for shape in shapes {
        let small = shape.repeat(10_000 / shape.len());
        let large = shape.repeat(1_000_000 / shape.len());
        let ((_, few), (split, many)) = (split_counted(&small), split_counted(&large));
        assert!(many <= 60 * large.len(), "{shape:?} costs {many} steps for {} bytes", large.len());
        assert!(many <= 150 * few.max(10_000), "{shape:?} costs {few} steps for 10 kB and {many} for 1 MB");
        assert_eq!(split.reply.trim().is_empty(), large.trim().is_empty(), "{shape:?}");
    }
}

#[test]
fn no_mutation_of_a_body_panics_or_empties_it() {
    let pieces = [
        "\n",
        ">",
        "> ",
        "--\n",
        "On 5 May 2020, at 10:00, Ann <a@b.test> wrote:\n",
        "From: a@b.test\nDate: 2020\n",
        "-----Original Message-----\n",
        "ü",
        "\u{200b}",
        "：",
        "```\n",
        "Sent from my iPhone\n",
        "\r\n",
        "\u{a0}",
        "|",
        "*",
    ];
    let base = "Hello\n\nOn Wed, Nov 2, 2016 at 12:34 PM Ann Lee <ann@shop.test>\nwrote:\n\n> Hi\n> there\n\nYes\n\n> 在 2016年12月12日，Ann 写道：\n-- \nJo\n";
    let mut seed = 0x9e37_79b9_7f4a_7c15_u64;
    let mut next = |below: usize| {
        seed ^= seed << 13;
        seed ^= seed >> 7;
        seed ^= seed << 17;
        (seed % below as u64) as usize
    };
    for _ in 0..4_000 {
        let mut body: Vec<char> = base.chars().collect();
        for _ in 0..1 + next(8) {
            let at = next(body.len().max(1));
            if body.is_empty() {
                break;
            }
            match next(4) {
                0 => drop(body.remove(at)),
                1 => body.splice(at..at, pieces[next(pieces.len())].chars()).for_each(drop),
                2 => body.truncate(at.max(1)),
                _ => body.swap(at, at / 2),
            }
        }
        let body: String = body.into_iter().collect();
        let split = split_text(&body);
        assert_eq!(is_blank(&split.reply), is_blank(&body), "{body:?}");
        let together: String = split.spans.iter().map(|span| &body[span.start..span.end]).collect();
        assert_eq!(together, body);
    }
}
