// The clients, how each is run, and what its own documented options have to be for it to outlast an outage.

const node = (program, ...args) => [process.execPath, [`programs/${program}.js`, ...args]];
const python = (program, ...args) => [process.env.PYTHON ?? 'python3', [`programs/${program}.py`, ...args]];

// Worked out by hand from plan.json. Ada: Monday's page as a visitor, who alias() says was her; Tuesday 10:00 to 10:55,
// 12 slots of 5 minutes, with the dashboard in the first of them; Wednesday's screen: 14 slots on 3 days. Alan: Thursday
// 09:00 to 09:10, 3 slots on one day. Of the three features of the catalogue, two. The score: login 4 of 2 × 7 days,
// adoption 60 % of 2/3 and 40 % of 85/120 minutes, their mean, because nobody answered.
const standard = {
  users: ['ada', 'alan'],
  minutes: 85,
  days: 4,
  features: 2,
  seen: '2026-09-02T09:00',
  login: 28.57,
  adoption: 68.33,
  score: 48.45,
};

// One person in a browser who does all of it: 4 of 7 days; more than the 60 minutes that are expected.
const browser = {
  users: ['ada'],
  minutes: 85,
  days: 4,
  features: 2,
  seen: '2026-09-03T09:10',
  login: 57.14,
  adoption: 80,
  score: 68.57,
  events: 7,
};

export const clients = [
  {
    name: '@segment/analytics-node',
    suite: 'node',
    run: node('segment-node'),
    well: standard,
    retries: '10',
  },
  {
    name: '@rudderstack/rudder-sdk-node',
    suite: 'node',
    retries: '3, set to 10',
    run: node('rudder-node'),
    well: standard,
    // By default a batch is dropped after 3 retries, at least as far apart as Retry-After says: 2 s.
    options: { retryCount: 10 },
  },
  {
    name: 'posthog-node',
    suite: 'node',
    retries: '3, set to 10',
    run: node('posthog-node'),
    well: standard,
    // By default a batch is dropped after 3 retries, 3 s apart: 9 s.
    options: { fetchRetryCount: 10 },
  },
  {
    name: '@jitsu/js',
    suite: 'node',
    retries: 'none',
    run: node('jitsu-node'),
    // It can't say when something happened: an hour and ten minutes within it, all ending now.
    well: { ...browser, minutes: 60, days: 1, seen: '2026-09-03T12:0', login: 14.29, score: 47.15 },
    // It never sends anything again: it logs each call that fails.
    once: true,
  },
  {
    name: 'cloudevents',
    suite: 'node',
    retries: 'by its caller',
    run: node('cloudevents-node'),
    // No call describes users or companies.
    well: { ...standard, described: false },
  },
  {
    name: 'segment-analytics-python',
    suite: 'python',
    retries: '10',
    run: python('segment_python', 'segment-analytics-python'),
    well: standard,
  },
  {
    name: 'rudder-sdk-python',
    suite: 'python',
    run: python('segment_python', 'rudder-sdk-python'),
    well: standard,
    retries: '10',
  },
  {
    name: 'posthog',
    suite: 'python',
    retries: '3, set to 10',
    run: python('posthog_python'),
    well: standard,
    // By default a batch is dropped after 3 retries: 2, 2 and 4 s apart.
    options: { max_retries: 10 },
  },
  {
    name: '@segment/analytics-next',
    suite: 'browser',
    run: node('browser', '@segment/analytics-next'),
    well: browser,
    retries: '10',
  },
  {
    name: '@rudderstack/analytics-js',
    suite: 'browser',
    run: node('browser', '@rudderstack/analytics-js'),
    well: browser,
    retries: 'for ever',
  },
  {
    name: 'posthog-js',
    suite: 'browser',
    run: node('browser', 'posthog-js'),
    well: browser,
    retries: '10, 3 unheard',
  },
];
