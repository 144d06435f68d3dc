//! The words by which mail programs introduce what they quote, in the languages they speak. Lower case. A new language
//! is a new word here and nothing else.

/// "wrote", at the end of an attribution or in its middle. Words in scripts without spaces are found anywhere.
pub(crate) const WROTE: &[&str] = &[
    "wrote", "writes", "schrieb", "geschrieben", "écrit", "ecrit", "scritto", "scrive", "escribió", "escribio", "escribe",
    "escreveu", "escrito", "schreef", "geschreven", "skrev", "skreiv", "skriver", "kirjoitti", "napisał", "napisała", "pisze",
    "napisal", "napisala", "napsal", "napsala", "píše", "napísal", "napísala", "написал", "написала", "написав", "пишет",
    "писал", "писала", "пише", "написа", "написао", "napisao", "napisala", "napisalo", "írta", "irta", "scris", "έγραψε",
    "yazdı", "yazdi", "yazmış", "viết", "menulis", "kirjutas", "rašė", "rakstīja", "skrifaði", "escriure", "escrit",
    "escribiu", "كتب", "كتبت", "كتب/ت", "כתב", "כתבה", "כתב/ה", "نوشت", "लिखा", "写道", "寫道", "写到", "写入", "書きました", "作成しました",
    "のメール", "のメッセージ", "작성", "썼습니다", "เขียน", "여 작성",
];

/// Weaker verbs: people use them in their own sentences too.
pub(crate) const SAID: &[&str] = &["said", "says", "nous a dit", "a dit", "sagte", "dijo", "disse", "ha detto", "zei", "sa", "schrieben"];

/// How an attribution begins.
pub(crate) const OPENERS: &[&str] = &[
    "lunes", "martes", "miércoles", "jueves", "viernes", "sábado", "domingo", "lunedì", "martedì", "mercoledì", "giovedì", "venerdì",
    "sabato", "domenica", "maandag", "dinsdag", "woensdag", "donderdag", "vrijdag", "zaterdag", "zondag", "mandag", "tirsdag",
    "onsdag", "torsdag", "fredag", "lørdag", "søndag", "måndag", "tisdag", "lördag", "söndag", "maanantai", "tiistai",
    "keskiviikko", "torstai", "perjantai", "lauantai", "sunnuntai", "poniedziałek", "wtorek", "środa", "czwartek", "piątek",
    "sobota", "niedziela", "pondělí", "úterý", "středa", "čtvrtek", "pátek", "neděle", "понеділок", "вівторок", "середа",
    "четвер", "пʼятниця", "субота", "неділя",
    "on", "le", "am", "op", "el", "il", "em", "den", "på", "pa", "dne", "dňa", "w", "dnia", "vào", "van", "в", "у", "на",
    "la", "a", "στις", "pada", "tarih", "ב", "בתאריך", "في", "في يوم", "pe", "data", "ti", "il giorno", "at", "em", "no",
    "dana", "u", "lúc", "ngày", "tp", "2n", "dia", "kl", "klo", "in", "mon", "tue", "wed", "thu", "fri", "sat", "sun",
    "monday", "tuesday", "wednesday", "thursday", "friday", "saturday", "sunday", "montag", "dienstag", "mittwoch",
    "donnerstag", "freitag", "samstag", "sonntag", "mo", "di", "mi", "do", "fr", "sa", "so", "lundi", "mardi", "mercredi",
    "jeudi", "vendredi", "samedi", "dimanche", "lun", "mar", "mer", "jeu", "ven", "sam", "dim", "понедельник", "вторник",
    "среда", "четверг", "пятница", "суббота", "воскресенье", "пн", "вт", "ср", "чт", "пт", "сб", "вс", "пнд", "pon", "wt",
    "śr", "czw", "pt", "sob", "niedz", "po", "út", "st", "čt", "pá", "ne", "ma", "ke", "to", "pe", "la", "su", "于", "於", "在",
];

/// Field names of the header block that Outlook and others put over what they quote.
pub(crate) const FROM: &[&str] = &[
    "from", "von", "de", "da", "från", "fra", "lähettäjä", "od", "van", "от", "от кого", "від", "kimden", "gönderen", "de la",
    "feladó", "από", "差出人", "送信者", "发件人", "寄件人", "寄件者", "發件人", "보낸 사람", "보낸사람", "từ", "người gửi", "dari", "pengirim", "מאת",
    "من", "expéditeur", "expediteur", "remitente", "mittente", "remetente", "afzender", "absender", "odesílatel",
    "odosielateľ", "nadawca", "saatja", "siuntėjas", "frá", "šalje", "pošiljatelj",
];
/// The date's names.
pub(crate) const DATE: &[&str] = &[
    "date", "datum", "data", "fecha", "dato", "päivämäärä", "päiväys", "dátum", "дата", "tarih", "ημερομηνία", "日付", "日時",
    "日期", "时间", "時間", "날짜", "ngày", "tanggal", "תאריך", "تاريخ", "التاريخ", "kuupäev",
];
/// The date's names that only mail has.
pub(crate) const SENT: &[&str] = &[
    "sent", "gesendet", "envoyé", "envoye", "envoyé le", "date d'envoi", "enviado", "enviado el", "enviado em", "enviada em",
    "enviada", "inviato", "data invio", "sendt", "skickat", "lähetetty", "wysłano", "wysłane", "odesláno", "odoslané",
    "elküldve", "küldve", "trimis", "отправлено", "надіслано", "изпратено", "gönderildi", "gönderme tarihi",
    "gönderilme tarihi", "στάλθηκε", "εστάλη", "送信日時", "送信", "发送时间", "发件时间", "发送日期", "發送時間", "寄件日期", "傳送時間", "寄件時間", "보낸 날짜",
    "보낸날짜", "đã gửi", "ngày gửi", "gửi", "terkirim", "dikirim", "verzonden", "verstuurd", "נשלח", "تم الإرسال", "poslano",
    "poslato", "zaslano", "saadetud",
];
/// The receiver's names.
pub(crate) const TO: &[&str] = &[
    "to", "an", "à", "a", "para", "til", "till", "aan", "vastaanottaja", "do", "komu", "кому", "до", "kime", "alıcı",
    "címzett", "către", "catre", "προς", "宛先", "收件人", "收件者", "受信者", "받는 사람", "받는사람", "đến", "tới", "kepada", "ke", "אל",
    "إلى", "za", "prejemnik", "adressat", "empfänger", "destinataire", "destinatario", "destinatário", "adresat", "saaja",
];
/// The subject's names.
pub(crate) const SUBJECT: &[&str] = &[
    "subject", "betreff", "betr", "objet", "sujet", "asunto", "assunto", "oggetto", "onderwerp", "emne", "ämne", "aihe",
    "temat", "předmět", "predmet", "tárgy", "subiect", "тема", "konu", "θέμα", "件名", "主题", "主題", "主旨", "제목", "tiêu đề",
    "chủ đề", "perihal", "subjek", "נושא", "الموضوع", "zadeva", "naslov", "teema", "efni", "assumpte",
];
/// Names of further fields that may stand in such a block.
pub(crate) const OTHER_FIELDS: &[&str] = &[
    "cc", "bcc", "kopie", "kopia", "copie", "copia", "cópia", "kopi", "копия", "копія", "bilgi", "másolat", "抄送", "副本", "참조",
    "kopija", "reply-to", "reply to", "antwort an", "répondre à", "risposta", "responder a", "importance", "wichtigkeit",
    "priority", "priorität", "importanza", "importancia", "importância", "prioridad", "attachments", "anlagen",
    "pièces jointes", "adjuntos", "allegati", "anexos", "bijlagen", "categories", "sensitivity", "flag", "kategorien", "vertraulichkeit", "organization", "organisation", "kopio", "másolatot kap",
    "kop", "cci", "mailed-by", "via",
];

/// What stands between dashes, or alone before a header block.
pub(crate) const ORIGINAL: &[&str] = &[
    "original message", "original email", "original mail", "original appointment", "reply message", "reply separator",
    "ursprüngliche nachricht", "urspruengliche nachricht", "ursprüngliche mail", "originalnachricht", "original-nachricht",
    "antwort nachricht", "message d'origine", "message d’origine", "message original", "message initial", "mensaje original",
    "correo original", "mensagem original", "messaggio originale", "oorspronkelijk bericht", "origineel bericht",
    "oprindelig meddelelse", "original meddelelse", "ursprungligt meddelande", "originalmeddelande", "opprinnelig melding",
    "alkuperäinen viesti", "wiadomość oryginalna", "oryginalna wiadomość", "wiadomosc oryginalna", "původní zpráva",
    "pôvodná správa", "eredeti üzenet", "mesaj original", "mesajul original", "исходное сообщение", "оригинальное сообщение",
    "вихідне повідомлення", "оригінальне повідомлення", "orijinal mesaj", "özgün ileti", "özgün mesaj", "αρχικό μήνυμα",
    "原始邮件", "原始郵件", "原邮件", "邮件原件", "元のメッセージ", "元のメール", "オリジナルメッセージ", "원본 메시지", "원본메시지", "원본 메일", "thư gốc", "tin nhắn gốc",
    "pesan asli", "הודעה מקורית", "رسالة أصلية", "الرسالة الأصلية", "prvotno sporočilo", "izvorna poruka",
    "originalna poruka", "missatge original",
];
/// The same for what was forwarded.
pub(crate) const FORWARDED: &[&str] = &[
    "forwarded message", "forwarded by", "begin forwarded message", "forwarded mail", "forwarded email",
    "weitergeleitete nachricht", "weitergeleiteten nachricht", "message transféré", "message transmis", "message réexpédié",
    "mensaje reenviado", "mensagem encaminhada", "mensagem reencaminhada", "messaggio inoltrato", "doorgestuurd bericht",
    "videresendt meddelelse", "videresendt besked", "videresendt melding", "vidarebefordrat meddelande",
    "vidarebefordrat brev", "välitetty viesti", "edelleenlähetetty viesti", "przekazana wiadomość",
    "przekazywanej wiadomości", "přeposlaná zpráva", "preposlaná správa", "továbbított üzenet", "mesaj redirecționat",
    "mesaj redirectionat", "пересылаемое сообщение", "пересланное сообщение", "переадресованного сообщения",
    "пересилане повідомлення", "переслане повідомлення", "iletilen mesaj", "yönlendirilmiş mesaj", "προωθημένο μήνυμα",
    "转发邮件", "转发的邮件", "被转发的邮件", "轉寄郵件", "轉寄的郵件", "転送メッセージ", "転送されたメッセージ", "전달된 메시지", "전달된 메일", "thư đã chuyển tiếp",
    "chuyển tiếp", "pesan terusan", "הודעה שהועברה", "رسالة معاد توجيهها", "posredovano sporočilo", "proslijeđena poruka",
    "prosleđena poruka",
];

/// Lines above which a help desk asked for the reply.
pub(crate) const REPLY_ABOVE: &[&str] = &[
    "reply above this line", "type your reply above", "write above this line", "reply above the line", "reply above here",
    "respond above this line", "oberhalb dieser zeile", "über dieser zeile", "au-dessus de cette ligne",
    "por encima de esta línea", "encima de esta línea", "acima desta linha", "sopra questa riga", "boven deze regel",
    "boven deze lijn", "ovanför denna rad", "over denne linje", "выше этой линии", "powyżej tej linii",
];

/// "Sent from", before the device.
pub(crate) const SENT_FROM: &[&str] = &[
    "envoyé de", "envoyé depuis", "envoyé à partir", "envoyé avec", "envoyé via", "envoye de", "envoye depuis",
    "enviado desde", "enviado con", "enviado de", "enviado do", "enviado da", "enviado pelo", "enviado via",
    "enviado a partir", "enviada do", "inviato da", "inviato dal", "inviato con", "verzonden vanaf", "verzonden met",
    "verzonden via", "verzonden door", "verstuurd vanaf", "verstuurd met", "von meinem", "von meiner", "gesendet von",
    "gesendet mit", "gesendet über", "gesendet aus", "diese nachricht wurde", "diese e-mail wurde", "skickat från",
    "skickat med", "skickades från", "sendt fra", "sendt via", "sendt med", "lähetetty", "wysłane z", "wysłano z",
    "wysłane przez", "odesláno z", "odesláno ze", "odoslané z", "отправлено с", "отправлено из", "отправлено со", "послано с",
    "надіслано з", "надіслано із", "изпратено от", "trimis de", "trimis din", "elküldve", "küldve", "στάλθηκε από",
    "εστάλη από", "gửi từ", "được gửi từ", "đã gửi từ", "dikirim dari", "poslano s", "poslano z", "poslano iz", "poslato sa",
    "enviat des", "saadetud", "išsiųsta", "nosūtīts", "sent frá", "נשלח מ", "أرسلت من", "أُرسلت من", "تم الإرسال من", "发自我的",
    "發自我的", "从我的", "從我的", "发送自", "發送自", "傳送自", "来自我的",
];
/// "sent", after the device.
pub(crate) const SENT_LAST: &[&str] = &[
    "gesendet", "verschickt", "geschickt", "から送信", "より送信", "发送", "傳送", "發送", "에서 보냄", "보냄", "gönderildi", "küldve",
    "verzonden",
];
/// Devices and programs.
pub(crate) const DEVICES: &[&str] = &[
    "iphone", "ipad", "ipod", "android", "mobile", "mobil", "móvil", "movil", "mobilní", "phone", "smartphone", "handy",
    "handset", "cell", "cellphone", "telefon", "téléphone", "telephone", "teléfono", "telefono", "telefonu", "telefoon",
    "blackberry", "galaxy", "samsung", "huawei", "htc", "nokia", "lumia", "xiaomi", "redmi", "oneplus", "pixel", "motorola",
    "sony", "xperia", "tablet", "outlook", "windows", "yahoo", "gmail", "airmail", "mailbox", "sparrow", "thunderbird",
    "spark", "protonmail", "proton", "newton", "superhuman", "bluemail", "mail", "mailapp", "device", "gerät", "mobilgerät",
    "mobiltelefon", "appareil", "dispositivo", "dispositif", "aparelho", "celular", "puhelimesta", "apple", "mac", "macbook",
    "watch", "телефон", "телефона", "смартфона", "устройства", "手机", "手機", "スマホ", "휴대폰", "zimbra", "icloud", "fairphone",
    "nexus", "telekom", "verizon", "t-mobile",
];
/// What people say about mistyping, after the device.
pub(crate) const EXCUSES: &[&str] = &[
    "excuse", "typo", "brevity", "brief", "sorry", "pardon", "forgive", "apolog", "autocorrect", "auto-correct", "thumbs",
    "spelling", "entschuld", "tippfehler", "kürze", "excusez", "concision", "brièveté", "disculp", "brevedad", "desculp",
    "errori", "scus", "fouten", "http", "www.",
];
