"""The look of the pages: one style sheet, no other assets."""

STYLE = """
body { font: 15px/1.5 system-ui, sans-serif; margin: 0; background: #f5f6f8; color: #1d2330; }
header { background: #8a3b00; color: #fff; padding: .6rem 1.2rem; }
main { max-width: 70rem; margin: 0 auto; padding: 1rem 1.2rem; }
a { color: #0b5cad; }
h1 { font-size: 1.3rem; }
h2 { font-size: 1.05rem; margin: 1.6rem 0 .4rem; }
table { border-collapse: collapse; background: #fff; }
th, td { text-align: left; padding: .35rem .9rem; border: 1px solid #d9dde5; }
form { display: inline; }
button, select { font: inherit; padding: .2rem .7rem; }
button[aria-pressed=true] { background: #0b5cad; color: #fff; border-color: #0b5cad; }
svg { max-width: 100%; height: auto; background: #fff; border: 1px solid #d9dde5; }
.boxes td { padding: .2rem .6rem; }
.swatch { display: inline-block; width: .8rem; height: .8rem; margin-right: .4rem; }
"""
