// Grafana's units under the names they have here.
import * as units from '@grafana/grafana-foundation-sdk/units';

export const { BytesIEC, DateTimeFromNow, EventsPerSecond, MessagesPerSecond, PercentUnit, RequestsPerSecond, Seconds, Short } = units;
