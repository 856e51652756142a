use rand::{RngExt, rngs::StdRng};

/// Distinct pages of the site.
const PAGES: usize = 2_000;

/// What sessions are made of.
pub(crate) struct Words {
    urls: Vec<String>,
    url_popularity: Zipf,
    user_agent_popularity: Zipf,
}

impl Words {
    /// The same ones in every run.
    pub fn new() -> Self {
        let urls: Vec<_> = (0..PAGES).map(url).collect();
        Self {
            url_popularity: Zipf::new(urls.len(), 1.0),
            urls,
            user_agent_popularity: Zipf::new(USER_AGENTS.len(), 0.8),
        }
    }

    /// A page of the site, a popular one most of the time.
    pub fn url(&self, random: &mut StdRng) -> &str {
        &self.urls[self.url_popularity.pick(random)]
    }

    /// A browser or a bot, a popular one most of the time.
    pub fn user_agent(&self, random: &mut StdRng) -> &'static str {
        USER_AGENTS[self.user_agent_popularity.pick(random)]
    }

    /// Something on a page, as a selector. Nothing in it needs an escape in JSON.
    #[expect(clippy::unused_self, reason = "asked for like the others")]
    pub fn element(&self, random: &mut StdRng) -> &'static str {
        ELEMENTS[random.random_range(0..ELEMENTS.len())]
    }
}

/// The n-th of them is picked in proportion to 1/n^exponent.
struct Zipf {
    /// Weights, each added to those before it.
    up_to: Vec<f64>,
}

impl Zipf {
    fn new(count: usize, exponent: f64) -> Self {
        let mut sum = 0.0;
        let ranks = (1_u32..).take(count);
        let up_to = ranks.map(|rank| {
            sum += f64::from(rank).powf(-exponent);
            sum
        });
        Self { up_to: up_to.collect() }
    }

    fn pick(&self, random: &mut StdRng) -> usize {
        let sum = self.up_to.last().copied().unwrap_or_default();
        let drawn = random.random::<f64>() * sum;
        self.up_to.partition_point(|&up_to| up_to <= drawn).min(self.up_to.len() - 1)
    }
}

fn url(rank: usize) -> String {
    const SECTIONS: &[&str] = &["products", "articles", "categories", "help", "магазин"];
    match rank {
        0 => "https://shop.example/".to_owned(),
        1 => "https://shop.example/cart".to_owned(),
        2 => "https://shop.example/checkout?step=1".to_owned(),
        _ if rank.is_multiple_of(11) => format!("https://shop.example/search?q=shoes+size+{rank}&page={}", rank % 7),
        _ if rank.is_multiple_of(13) => format!("http://blog.example:8080/{}/entry-{rank}#comments", 2015 + rank % 11),
        _ => format!("https://shop.example/{}/{rank:04}", SECTIONS[rank % SECTIONS.len()]),
    }
}

const ELEMENTS: &[&str] = &[
    "button#add-to-cart",
    "button.primary",
    "a.nav-link",
    "a[href='/sale']",
    "img.hero",
    "input[name='e-mail']",
    "input[type='search']",
    "select#size",
    "form#checkout",
    "form.newsletter > input:nth-child(2)",
    "div.carousel li:nth-of-type(3)",
    "textarea#review",
    "window",
    "document",
    "video.teaser",
    "button#größe-wählen",
    "a.下一页",
    "footer > a.imprint",
    "td.price",
    "label[for='terms']",
];

/// The most frequent first.
const USER_AGENTS: &[&str] = &[
    "Mozilla/5.0 (Windows NT 10.0; Win64; x64) AppleWebKit/537.36 (KHTML, like Gecko) Chrome/137.0.0.0 Safari/537.36",
    "Mozilla/5.0 (Linux; Android 10; K) AppleWebKit/537.36 (KHTML, like Gecko) Chrome/137.0.0.0 Mobile Safari/537.36",
    "Mozilla/5.0 (iPhone; CPU iPhone OS 18_5 like Mac OS X) AppleWebKit/605.1.15 (KHTML, like Gecko) Version/18.5 Mobile/15E148 Safari/604.1",
    "Mozilla/5.0 (Macintosh; Intel Mac OS X 10_15_7) AppleWebKit/537.36 (KHTML, like Gecko) Chrome/136.0.0.0 Safari/537.36",
    "Mozilla/5.0 (Macintosh; Intel Mac OS X 10_15_7) AppleWebKit/605.1.15 (KHTML, like Gecko) Version/18.4 Safari/605.1.15",
    "Mozilla/5.0 (Windows NT 10.0; Win64; x64) AppleWebKit/537.36 (KHTML, like Gecko) Chrome/137.0.0.0 Safari/537.36 Edg/137.0.0.0",
    "Mozilla/5.0 (Windows NT 10.0; Win64; x64; rv:139.0) Gecko/20100101 Firefox/139.0",
    "Mozilla/5.0 (X11; Linux x86_64; rv:138.0) Gecko/20100101 Firefox/138.0",
    "Mozilla/5.0 (Linux; Android 14; SM-S921B) AppleWebKit/537.36 (KHTML, like Gecko) SamsungBrowser/27.0 Chrome/125.0.0.0 Mobile Safari/537.36",
    "Mozilla/5.0 (iPhone; CPU iPhone OS 17_7 like Mac OS X) AppleWebKit/605.1.15 (KHTML, like Gecko) CriOS/136.0.7103.91 Mobile/15E148 Safari/604.1",
    "Mozilla/5.0 (compatible; Googlebot/2.1; +http://www.google.com/bot.html)",
    "Mozilla/5.0 (Windows NT 10.0; Win64; x64) AppleWebKit/537.36 (KHTML, like Gecko) Chrome/135.0.0.0 Safari/537.36 OPR/120.0.0.0",
    "Mozilla/5.0 (iPad; CPU OS 17_6 like Mac OS X) AppleWebKit/605.1.15 (KHTML, like Gecko) Version/17.6 Mobile/15E148 Safari/604.1",
    "Mozilla/5.0 (Linux; Android 13; Pixel 7) AppleWebKit/537.36 (KHTML, like Gecko) Chrome/134.0.6998.135 Mobile Safari/537.36",
    "Mozilla/5.0 (X11; Linux x86_64) AppleWebKit/537.36 (KHTML, like Gecko) Chrome/137.0.0.0 Safari/537.36",
    "Mozilla/5.0 (Macintosh; Intel Mac OS X 10.15; rv:139.0) Gecko/20100101 Firefox/139.0",
    "Mozilla/5.0 (compatible; bingbot/2.0; +http://www.bing.com/bingbot.htm)",
    "Mozilla/5.0 (iPhone; CPU iPhone OS 18_4_1 like Mac OS X) AppleWebKit/605.1.15 (KHTML, like Gecko) FxiOS/138.0 Mobile/15E148 Safari/605.1.15",
    "Mozilla/5.0 (Android 14; Mobile; rv:138.0) Gecko/138.0 Firefox/138.0",
    "Mozilla/5.0 (Macintosh; Intel Mac OS X 10_15_7) AppleWebKit/537.36 (KHTML, like Gecko) Chrome/136.0.0.0 Safari/537.36 Edg/136.0.0.0",
    "Mozilla/5.0 (Linux; Android 10; K) AppleWebKit/537.36 (KHTML, like Gecko) Chrome/136.0.0.0 Mobile Safari/537.36 EdgA/136.0.0.0",
    "Mozilla/5.0 (X11; CrOS x86_64 14541.0.0) AppleWebKit/537.36 (KHTML, like Gecko) Chrome/135.0.0.0 Safari/537.36",
    "Mozilla/5.0 (Windows NT 10.0; WOW64; Trident/7.0; rv:11.0) like Gecko",
    "Mozilla/5.0 (Linux; Android 12; SM-T500) AppleWebKit/537.36 (KHTML, like Gecko) Chrome/133.0.0.0 Safari/537.36",
    "Mozilla/5.0 (compatible; YandexBot/3.0; +http://yandex.com/bots)",
    "Mozilla/5.0 (compatible; AhrefsBot/7.0; +http://ahrefs.com/robot/)",
    "Mozilla/5.0 (Linux; Android 11; Redmi Note 8) AppleWebKit/537.36 (KHTML, like Gecko) Chrome/132.0.0.0 Mobile Safari/537.36 OPR/87.0.0.0",
    "facebookexternalhit/1.1 (+http://www.facebook.com/externalhit_uatext.php)",
    "Mozilla/4.0 (compatible; MSIE 8.0; Windows NT 6.1; Trident/4.0)",
    "curl/8.14.1",
    "python-requests/2.32.3",
];
