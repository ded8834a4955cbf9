/** How long the far sink takes to answer. */
export const FAR_MS = 40;

export interface NginxConfig {
  /** For whatever nginx writes; holds `ca.pem`, `server.pem` and `server-key.pem`. */
  readonly folder: string;
  readonly echoModule: string;
  readonly maxConcurrentStreams: number;
  readonly ports: SinkPorts;
}

export interface SinkPorts {
  /** HTTP/2 over TLS, answered at once. */
  readonly near: number;
  /** The same, answered after `FAR_MS`. */
  readonly far: number;
  /** HTTP/1.1 over TLS, for clients with a certificate of the sandbox's authority; answered at once. */
  readonly mutual: number;
  /** Plain HTTP/1.1: how many requests there were. */
  readonly status: number;
}

/**
 * One worker that answers pushes as APNs and FCM do where all is well. `return` would be cheaper, but answers before it has seen the
 * body, and then resets each stream; so requests are read to their end, by the echo module.
 */
export function toNginxConfig({
  folder,
  echoModule,
  maxConcurrentStreams,
  ports,
}: NginxConfig): string {
  const toServer = (port: number, delay: string) => `
        server {
          listen 127.0.0.1:${port} ssl http2 backlog=1024;
          ssl_certificate ${folder}/server.pem; ssl_certificate_key ${folder}/server-key.pem;
          location /3/device/ {
            add_header apns-id $http_apns_id;
            echo_read_request_body; ${delay} echo -n '';
          }
          location ~ ^/v1/projects/([^/]+)/messages:send$ {
            default_type application/json;
            set $project $1;
            echo_read_request_body; ${delay} echo -n '{"name":"projects/$project/messages/0:1"}';
          }
        }`;
  return `
      load_module ${echoModule};
      daemon off; master_process off; worker_processes 1;
      pid ${folder}/nginx.pid; error_log ${folder}/nginx-error.log warn;
      events { worker_connections 4096; }
      http {
        client_body_temp_path ${folder}/nginx-body; proxy_temp_path ${folder}/nginx-proxy;
        fastcgi_temp_path ${folder}/nginx-fastcgi; uwsgi_temp_path ${folder}/nginx-uwsgi; scgi_temp_path ${folder}/nginx-scgi;
        access_log off;
        keepalive_requests 1000000000; keepalive_timeout 1h;
        http2_max_concurrent_streams ${maxConcurrentStreams};
        # nginx 1.22 forgets to forget streams when 256 of them end at once. Found by a longer walk each, they would cost more and more.
        http2_streams_index_size 65536;
        server { listen 127.0.0.1:${ports.status}; location / { stub_status; } }${toServer(ports.near, '')}${toServer(ports.far, `echo_sleep ${FAR_MS / 1000};`)}
        server {
          listen 127.0.0.1:${ports.mutual} ssl backlog=1024;
          ssl_certificate ${folder}/server.pem; ssl_certificate_key ${folder}/server-key.pem;
          ssl_client_certificate ${folder}/ca.pem; ssl_verify_client on;
          location / { echo_read_request_body; echo -n ''; }
        }
      }`;
}

/** What `stub_status` says. */
export interface SinkCounts {
  /** Connections that were accepted, those for the status included. */
  readonly connections: number;
  /** Requests whose header was read, those for the status included. */
  readonly requests: number;
}

/** Throws where the text is not that of `stub_status`. */
export function parseStubStatus(text: string): SinkCounts {
  const [, accepts, , requests] = /^ ?(\d+) (\d+) (\d+) ?$/m.exec(text) ?? [];
  if (accepts === undefined || requests === undefined)
    throw new Error(`this is no stub_status: ${text}`);
  return { connections: Number(accepts), requests: Number(requests) };
}
