/**
 * The scripts that shells complete with. All knowledge is in `guestfs __complete`; a script joins the words, asks, and
 * offers the answer as its shell wants it.
 */

/** The shells that there is a script for. */
export const shells = ['bash', 'zsh', 'fish'] as const;

export const completionScripts: Readonly<Record<(typeof shells)[number], string>> = {
  // bash takes a colon and an equals sign for ends of words, and replaces what stands behind the last of them only.
  bash: `# bash completion of guestfs. In ~/.bashrc: source <(guestfs completion bash)
_guestfs() {
  local rest=\${COMP_LINE:0:COMP_POINT} count=0 word line prefix text i
  local -a words=()
  for ((i = 0; i <= COMP_CWORD; i++)); do
    word=\${COMP_WORDS[i]}
    if [[ $i == 0 || $rest == [[:space:]]* ]]; then
      rest=\${rest#"\${rest%%[![:space:]]*}"}
      words[count++]=
    fi
    [[ $rest == "$word"* ]] || word=$rest
    rest=\${rest#"$word"}
    words[count - 1]+=$word
  done
  word=\${words[count - 1]}
  prefix=
  [[ $word == [\\'\\"]* ]] || prefix=\${word%"\${word##*[:=]}"}
  COMPREPLY=()
  while IFS= read -r line; do
    text=\${line%%$'\\t'*}
    if [[ $text == :files ]]; then
      compopt -o default
      continue
    fi
    [[ $text != */ && $text != *= ]] || compopt -o nospace
    [[ $word == [\\'\\"]* ]] || printf -v text %q "$text"
    COMPREPLY+=("\${text#"$prefix"}")
  done < <("$1" __complete bash "\${words[@]:1}" 2>/dev/null)
}
complete -F _guestfs guestfs
`,
  zsh: `#compdef guestfs
# zsh completion of guestfs. In ~/.zshrc, after compinit: source <(guestfs completion zsh)
_guestfs() {
  local line value told with_files=0
  local -a plain plain_told open open_told
  for line in "\${(@f)$("\${(Q)words[1]}" __complete zsh "\${(@Q)words[2,CURRENT-1]}" "\${(Q)PREFIX}" 2>/dev/null)}"; do
    if [[ $line == :files ]]; then
      with_files=1
      continue
    fi
    value=\${line%%$'\\t'*}
    [[ -n $value ]] || continue
    told=\${line/$'\\t'/ -- }
    if [[ $value == */ ]]; then
      open+=("$value")
      open_told+=("$told")
    else
      plain+=("$value")
      plain_told+=("$told")
    fi
  done
  (( \${#plain} )) && compadd -d plain_told -a plain
  (( \${#open} )) && compadd -S '' -d open_told -a open
  (( with_files )) && _files
  return 0
}
if [[ \${funcstack[1]} == _guestfs ]]; then
  _guestfs "$@"
else
  compdef _guestfs guestfs
fi
`,
  fish: `# fish completion of guestfs. In ~/.config/fish/config.fish: guestfs completion fish | source
function __guestfs_complete
  set -l words (commandline -opc)
  set -l current (commandline -ct)
  for line in ($words[1] __complete fish $words[2..] (string unescape -- $current; or echo $current) 2>/dev/null)
    if test "$line" = :files
      __fish_complete_path $current
    else
      echo $line
    end
  end
end
complete -c guestfs -f -a '(__guestfs_complete)'
`,
};
