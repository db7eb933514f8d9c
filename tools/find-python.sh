#!/bin/sh
# Prints the path of the Python to set Collab up with, or says in one line why there is none.
#
# PYTHON=... decides alone. Without it: the .venv that is there already, else the first Python 3.11 or newer on PATH
# that can make a virtual environment. Each candidate is tried, not just found: a pyenv shim may exist and do nothing.

version='import sys; print("%d.%d" % sys.version_info[:2]); sys.exit(sys.version_info < (3, 11))'

refuse() {
    echo "collab: $1" >&2
    exit 1
}

without_venv() {
    refuse "$1 can't make virtual environments: install its venv package (Debian, Ubuntu: apt-get install python3-venv)."
}

if [ -n "$PYTHON" ]; then
    found=$("$PYTHON" -c "$version" 2>/dev/null) || {
        [ -n "$found" ] && refuse "PYTHON=$PYTHON is Python $found; Collab needs 3.11 or newer."
        refuse "PYTHON=$PYTHON can't be run."
    }
    "$PYTHON" -c 'import ensurepip, venv' 2>/dev/null || without_venv "PYTHON=$PYTHON"
    command -v "$PYTHON"
    exit
fi

if .venv/bin/python -c "$version" >/dev/null 2>&1; then
    echo .venv/bin/python
    exit
fi

old='' incomplete=''
IFS=:
for name in python3.13 python3.12 python3.11 python3 python3.14 python; do
    for folder in $PATH; do
        candidate="${folder:-.}/$name"
        [ -x "$candidate" ] && [ ! -d "$candidate" ] || continue
        if ! found=$("$candidate" -c "$version" 2>/dev/null); then
            [ -n "$found" ] && old=${old:-"$candidate is Python $found"}
        elif ! "$candidate" -c 'import ensurepip, venv' 2>/dev/null; then
            incomplete=${incomplete:-$candidate}
        else
            echo "$candidate"
            exit
        fi
    done
done

[ -n "$incomplete" ] && without_venv "$incomplete"
[ -n "$old" ] && refuse "Collab needs Python 3.11 or newer; $old. Say which with PYTHON=/path/to/python3."
refuse "Collab needs Python 3.11 or newer, and none is on PATH. Say which with PYTHON=/path/to/python3."
