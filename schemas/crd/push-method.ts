import { anything, type CrdSchema, described, flag, int, int32, int64, object, text, texts } from './schema-parts.ts'

const influxdb2 = object({
  influxdb2ClientConfig: described(
    'How to reach the database. Its token is no part of a manifest.',
    object({
      url: described('URL of the server, such as http://127.0.0.1:8086.', text),
      org: described('Organisation that the bucket is of.', text),
      bucket: described('Bucket to write to.', text),
    }),
  ),
  influxdb2DataConfig: described(
    'How a value is written.',
    object({
      measurement: described('Name of the measurement.', text),
      tag: described('Tags of each point, by name.', texts),
      fieldKey: described('Name of the field that holds the value.', text),
    }),
  ),
})

const redis = object({
  redisClientConfig: described(
    'How to reach the server. Its password is no part of a manifest.',
    object({
      addr: described('HOST:PORT of the server.', text),
      db: described('Number of the database.', int),
      poolsize: described('How many connections there are at most.', int),
      minIdleConns: described('How many connections are kept open at least.', int),
    }),
  ),
})

const tdEngine = object({
  TDEngineClientConfig: described(
    'How to reach the server. Its user and password are no part of a manifest.',
    object({ addr: described('HOST:PORT of the server.', text), dbName: described('Name of the database.', text) }),
  ),
})

const mysql = object({
  mysqlClientConfig: described(
    'How to reach the server. Its password is no part of a manifest.',
    object({
      addr: described('HOST:PORT of the server.', text),
      database: described('Name of the database.', text),
      userName: described('Whom to log in as.', text),
    }),
  ),
})

const http = object({
  hostName: described('Scheme and host of the server, such as http://127.0.0.1.', text),
  port: described('Port of the server.', int64),
  requestPath: described('Path of the request, from / on.', text),
  timeout: described("How long to wait for an answer, in the mapper's own unit.", int64),
})

const mqtt = object({
  address: described('URL of the broker, such as tcp://127.0.0.1:1883.', text),
  topic: described('Topic to publish on.', text),
  qos: described('Quality of service: 0, 1 or 2.', int32),
  retained: described('Whether the broker keeps the last value for those who come later.', flag),
})

/** Where mappers of KubeEdge send values beside the twin. */
export const pushMethod: CrdSchema = object({
  http: described('Sends each value by HTTP.', http),
  mqtt: described('Publishes each value at an MQTT broker.', mqtt),
  otel: described(
    'Sends each value as a metric of OpenTelemetry.',
    object({ endpointURL: described('URL of the collector.', text) }),
  ),
  dbMethod: described(
    'Writes each value to a database.',
    object({
      influxdb2: described('InfluxDB 2.', influxdb2),
      redis: described('Redis.', redis),
      TDEngine: described('TDengine.', tdEngine),
      mysql: described('MySQL.', mysql),
    }),
  ),
  anomalyDetection: described('Settings for a mapper that looks for unusual values; any keys.', anything),
})
