"""How right, how fast and how large a model is: in Keras, in the interpreter and in the engine.

TensorFlow and a TFLite interpreter cannot share a process. So every runner is a module that only
`evaluation.worker` imports, in a process of its own (`jobs`), after it has barred the other side's packages;
what is imported beside them, here and in the commands, touches neither.
"""
