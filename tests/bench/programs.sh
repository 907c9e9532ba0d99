# SPDX-License-Identifier: Apache-2.0
# Sourced by tests that look at programs as Debian ships them: starts one with a load that keeps it
# busy until it is stopped. Needs $work, a folder, and $children, of which all are ended at the end
# (tests/bench/lib.sh, tests/e2e/lib.sh).
# shellcheck shell=bash
# shellcheck disable=SC2034,SC2154  # program_pid is read by those who source this; work is theirs

real_programs="redis nginx sqlite3 python3 mariadbd cc1plus"
program_groups=()

# lead COMMAND...: in a group of its own, its pid in $!. If nobody ends it, it ends by its limit of CPU time.
lead() {
  (
    ulimit -t 400
    exec setsid "$@" >/dev/null 2>>"$work/program.log" </dev/null
  ) &
  program_groups+=("$!")
  children+=("$!")
}

# Whether it is installed with all that its load needs.
has_program() {
  case "$1" in
    redis) command -v redis-server redis-benchmark redis-cli ;;
    nginx) command -v nginx curl ;;
    mariadbd) command -v mariadbd mariadb-install-db mariadb-slap mariadb-admin ;;
    cc1plus | g++) command -v g++ ;;
    *) command -v "$1" ;;
  esac >/dev/null
}

# answers COMMAND...: waits up to 30 s until it succeeds.
answers() {
  local i
  for ((i = 0; i < 300; ++i)); do
    "$@" >/dev/null 2>&1 && return 0
    sleep 0.1
  done
  echo "programs.sh: no answer to $*" >&2
  return 1
}

start_redis() {
  lead redis-server --port 0 --unixsocket "$work/redis.sock" --save '' --dir "$work"
  program_pid=$!
  answers redis-cli -s "$work/redis.sock" ping || return 1
  # No command that grows without end.
  lead redis-benchmark -s "$work/redis.sock" -q -l -r 10000 -t get,set,incr,hset,zadd,mset,lrange_100
}

start_nginx() {
  mkdir -p "$work/nginx"
  seq -s ' ' 3000 >"$work/nginx/index.html"
  cat >"$work/nginx.conf" <<END
daemon off; master_process off; pid $work/nginx.pid; error_log /dev/null; user root;
events {}
http {
  access_log off; client_body_temp_path $work/nginx/1; proxy_temp_path $work/nginx/2;
  fastcgi_temp_path $work/nginx/3; uwsgi_temp_path $work/nginx/4; scgi_temp_path $work/nginx/5;
  gzip on; gzip_types *; keepalive_requests 1000000;
  server { listen unix:$work/nginx.sock; root $work/nginx; }
}
END
  lead nginx -e /dev/null -c "$work/nginx.conf"
  program_pid=$!
  answers curl -sf --unix-socket "$work/nginx.sock" http://localhost/ || return 1
  lead curl -s --unix-socket "$work/nginx.sock" -H 'Accept-Encoding: gzip' 'http://localhost/?[1-100000000]'
}

start_sqlite3() {
  lead sqlite3 :memory: "create table t(a, b);
    with recursive c(x) as (select 1 union all select x+1 from c where x < 20000)
    insert into t select x, hex(x*7919%10007) || printf('%.3f', x/7.0) from c;
    with recursive c(x) as (select 1 union all select x+1 from c)
    select sum((select max(m) from (select group_concat(distinct substr(b, 3)) m from t
      where b like '%' || (c.x % 100) || '%' group by a % 13 order by max(lower(b)) desc))) from c;"
  program_pid=$!
}

start_python3() {
  lead /usr/bin/python3 -c '
import hashlib, json, re
while True:
    words = sorted((str(i * 7919 % 10007) for i in range(5000)), key=lambda s: s[::-1])
    text = json.dumps({word: [word] * 3 for word in words})
    re.findall("[0-9]+7", text)
    json.loads(text)
    hashlib.sha256(text.encode()).hexdigest()'
  program_pid=$!
}

start_mariadbd() {
  local data=$work/mariadb
  [ -d "$data" ] ||
    mariadb-install-db --no-defaults --datadir="$data" --user=root --auth-root-authentication-method=normal \
      --skip-test-db >"$work/program.log" 2>&1 || return 1
  lead mariadbd --no-defaults --datadir="$data" --socket="$work/mariadb.sock" --skip-networking --user=root \
    --pid-file="$work/mariadb.pid" --innodb-flush-log-at-trx-commit=0
  program_pid=$!
  answers mariadb-admin --no-defaults -u root -S "$work/mariadb.sock" ping || return 1
  lead mariadb-slap --no-defaults -u root -S "$work/mariadb.sock" --silent --auto-generate-sql \
    --auto-generate-sql-load-type=mixed --auto-generate-sql-write-number=2000 --concurrency=4 \
    --number-of-queries=1000000 --iterations=1000
}

# heavy_source FUNCTIONS: C++ that takes the compiler a second and about a tenth more for each.
heavy_source() {
  local i
  echo '#include <map>
#include <regex>
#include <string>'
  for ((i = 0; i < $1; ++i)); do
    echo "template <int N> struct Key$i { int value; bool operator<(const Key$i& o) const { return value < o.value; } };
      int f$i(const std::string& s) { std::map<Key$i<$i>, std::string> m; m[{$i}] = s; std::smatch found;
        return std::regex_search(m.begin()->second, found, std::regex(\"a$i\")) ? int(m.size()) : 0; }"
  done
}

# Code that is compiled at run time, and builtins of V8 that have no unwind tables.
start_node() {
  cat >"$work/busy.js" <<'END'
const fibonacci = (n) => (n < 2 ? n : fibonacci(n - 1) + fibonacci(n - 2));
function sortedKeys() {
  const values = new Map();
  for (let i = 0; i < 3000; i++) values.set(`key${i}`, fibonacci(i % 15));
  return [...values].sort((a, b) => a[1] - b[1]);
}
for (;;) JSON.stringify(sortedKeys());
END
  lead env -C "$work" node --perf-basic-prof busy.js # it writes logs where it stands
  program_pid=$!
}

# One compilation that takes half a minute or more.
start_cc1plus() {
  heavy_source 200 >"$work/heavy.cpp"
  lead "$(g++ -print-prog-name=cc1plus)" -quiet -imultiarch "$(g++ -print-multiarch)" -O2 \
    "$work/heavy.cpp" -o /dev/null
  program_pid=$!
}

# The compiler as it is used: a process for each step, for each of many short compilations. Who starts to
# look follows only those that begin later.
start_g++() {
  cat >"$work/light.cpp" <<'END'
#include <map>
#include <string>
int count(const std::string& s) { std::map<std::string, int> m; return m[s] + ++m[s + "x"]; }
END
  # shellcheck disable=SC2016  # the inner shell expands it
  lead bash -c 'while :; do g++ -O1 -c "$1" -o /dev/null || exit 1; done' loop "$work/light.cpp"
  program_pid=$!
}

# start_program NAME: $program_pid is the process to look at.
start_program() {
  program_groups=()
  : >"$work/program.log"
  "start_$1" || { cat "$work/program.log" >&2; return 1; }
  sleep 2 # the load has begun
}

stop_program() {
  local group
  for group in "${program_groups[@]}"; do kill -KILL -- "-$group" 2>/dev/null; done
  for group in "${program_groups[@]}"; do
    wait "$group" 2>/dev/null
    rm -f "/tmp/perf-$group.map" # node's
  done
  program_groups=()
}
